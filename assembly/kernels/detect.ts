// Module `detect`: voice activity. Each kernel stands in its own file.
export { millrace_abi, millrace_layout } from '../sdk'
export { vad_flush, vad_init, vad_process, vad_reset, vad_size } from './detect/vad'
