import { gain } from './gain.js'
export const resample = gain
