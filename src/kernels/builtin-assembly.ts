/** Texts of the AssemblyScript modules, a part of their own. */
export { deflated as convert } from '../../assembly/build/convert.wasm'
export { deflated as detect } from '../../assembly/build/detect.wasm'
export { deflated as level } from '../../assembly/build/level.wasm'
