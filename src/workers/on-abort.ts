export { onAbort, unlessAborted } from '../schedule/on-abort.js'
