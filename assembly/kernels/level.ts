// Module `level`: gain, mix, channels, merge. Each kernel stands in its own file.
export { millrace_abi, millrace_layout } from '../sdk'
export { channels_init, channels_process, channels_reset, channels_size } from './level/channels'
export { gain_init, gain_process, gain_reset, gain_size } from './level/gain'
export { merge_init, merge_process, merge_reset, merge_size } from './level/merge'
export { mix_init, mix_process, mix_reset, mix_size } from './level/mix'
