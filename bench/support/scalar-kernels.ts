/**
 * Scalar twins of SIMD loops, written in AssemblyScript without vectors and compiled on the spot by
 * asc with our own options: the peer of PF-16.
 */

const SOURCE = `
export function copy(y: usize, x: usize, bytes: usize): void { memory.copy(y, x, bytes) }
export function gain(y: usize, x: usize, g: f32, n: usize): void {
  for (let i: usize = 0; i < n << 2; i += 4) store<f32>(y + i, load<f32>(x + i) * g)
}
/** list: u32 address, f32 weight per source */
export function mix(y: usize, list: usize, sources: usize, n: usize): void {
  memory.fill(y, 0, n << 2)
  for (let s: usize = 0; s < sources; s++) {
    const x = <usize>load<u32>(list + (s << 3)), w = load<f32>(list + (s << 3), 4)
    for (let i: usize = 0; i < n << 2; i += 4) store<f32>(y + i, load<f32>(y + i) + load<f32>(x + i) * w)
  }
}
export function mean(y: usize, left: usize, right: usize, n: usize): void {
  for (let i: usize = 0; i < n << 2; i += 4) store<f32>(y + i, (load<f32>(left + i) + load<f32>(right + i)) * <f32>0.5)
}
/** f64 energy, one accumulator */
export function energy(x: usize, n: usize): f64 {
  let sum: f64 = 0
  for (let i: usize = 0; i < n << 2; i += 4) { const v = <f64>load<f32>(x + i); sum += v * v }
  return sum
}`

/** The functions of the module; addresses and lengths in bytes or samples as in its source. */
export interface ScalarKernels {
  copy(y: number, x: number, bytes: number): void
  gain(y: number, x: number, g: number, n: number): void
  mix(y: number, list: number, sources: number, n: number): void
  mean(y: number, left: number, right: number, n: number): void
  energy(x: number, n: number): number
}

/** Compiles the twins over a shared memory. Node only. */
export async function scalarKernels(memory: WebAssembly.Memory): Promise<ScalarKernels> {
  const { default: asc } = await import('assemblyscript/asc')
  let bytes: Uint8Array | undefined
  const { error, stderr } = await asc.main([
    'scalar.ts', '--importMemory', '--noExportMemory', '--sharedMemory', '--maximumMemory', '65536', '--memoryBase', '589824', '--runtime',
    'stub', '--enable', 'threads', '--disable', 'simd', '--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert', '--use', 'abort=',
    '--outFile', 'scalar.wasm',
  ], {
    readFile: (name) => name === 'scalar.ts' ? SOURCE : null,
    writeFile: (name, contents) => { if (name === 'scalar.wasm' && typeof contents !== 'string') bytes = contents },
    listFiles: () => [],
  })
  if (error || bytes === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`)
  return (await WebAssembly.instantiate(Uint8Array.from(bytes), { env: { memory } })).instance.exports as unknown as ScalarKernels
}
