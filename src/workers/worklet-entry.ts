/**
 * Entry of a worklet's code: the bundle behind `addModule`, inlined as a string or as the file of `workletURL` (PK-15).
 */
import { registerSegment } from './segment-processor.js'

registerSegment()
