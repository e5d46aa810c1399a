/**
 * How benches are written: one question, one `bench` call, rows that compare us with named peers in the same process. Variants of a row run
 * round by round in turn, so that a busy machine slows all of them alike.
 */
import { Bench as Tinybench, hrtimeNow } from 'tinybench'

/** Times of one variant of a row, milliseconds per call, and how it compares. */
export interface VariantResult {
  readonly variant: string
  readonly minMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  /** Of calls that were timed one by one, not by the batch as those below 20 µs are. */
  readonly p99Ms?: number
  readonly calls: number
  /** p50 of this variant by p50 of the first one: above 1 the first variant is faster. */
  readonly ratio: number
  /** `units` per second at p50. */
  readonly perSecond?: number
  readonly quality?: string
}

/** One compared job. */
export interface RowResult {
  readonly row: string
  readonly unit?: string
  readonly variants: readonly VariantResult[]
}

/** Everything that a bench measured. */
export interface BenchResult {
  readonly name: string
  readonly rows: RowResult[]
  readonly notes: string[]
}

/** Settings of a row. */
export interface CompareOptions {
  /** Rounds over all variants; default 15. */
  readonly rounds?: number
  /** Time that one variant gets in one round, milliseconds; default 30. */
  readonly roundMs?: number
  /** Work of one call, for a rate: `{ name: 'samples', count: 1_048_576 }`. */
  readonly unit?: { readonly name: string; readonly count: number }
  /** Quality of each variant in words or numbers: speed is compared at equal quality. */
  readonly quality?: Readonly<Record<string, string>>
}

/** What a bench function gets. */
export interface BenchContext {
  /** Measures every variant; the first is ours, the others are peers. Returns the row, so that a bar can be named in a note. */
  compare(row: string, variants: Readonly<Record<string, () => unknown>>, options?: CompareOptions): Promise<RowResult>
  /**
   * Keeps times (ms) of things that cannot be called in a loop: threads that start, runs that are cancelled. The bench takes them, each
   * variant as often as the others and in turn.
   */
  record(row: string, times: Readonly<Record<string, readonly number[]>>): RowResult
  /** A line printed below the rows and kept with them. */
  note(text: string): void
}

/** A bench as `npm run bench` finds it: any export of a `*.bench.ts` file made by {@link bench}. */
export interface BenchModule {
  readonly kind: 'bench'
  readonly name: string
  /** Where it can run; default both. */
  readonly hosts: readonly ('node' | 'browser')[]
  readonly measure: (context: BenchContext) => Promise<void> | void
}

/** Declares a bench. `name` is a path such as `kernels/convert`; it names the result file too. */
export function bench(name: string, measure: BenchModule['measure'], hosts: BenchModule['hosts'] = ['node', 'browser']): BenchModule {
  return { kind: 'bench', name, hosts, measure }
}

/** Runs one bench, handing each printed line to `print`. */
export async function runBench(module: BenchModule, print: (line: string) => void): Promise<BenchResult> {
  const result: BenchResult = { name: module.name, rows: [], notes: [] }
  print(`\n${module.name}`)
  const keep = (row: RowResult): RowResult => {
    result.rows.push(row)
    for (const line of rowLines(row)) print(line)
    return row
  }
  await module.measure({
    compare: async (row, variants, options = {}) => keep(await compare(row, variants, options)),
    record(row, times) {
      const all = Object.entries(times).map(([variant, samples]) => ({
        variant, ...summarize(samples), p99Ms: shareOf(samples, 0.99), calls: samples.length,
      }))
      return keep({ row, variants: all.map((one) => ({ ...one, ratio: one.p50Ms / all[0]!.p50Ms })) })
    },
    note(text) {
      result.notes.push(text)
      print(`  note: ${text}`)
    },
  })
  return result
}

async function compare(row: string, variants: Readonly<Record<string, () => unknown>>, o: CompareOptions): Promise<RowResult> {
  const rounds = o.rounds ?? 15
  const roundMs = o.roundMs ?? 30
  const runners = []
  for (const [variant, run] of Object.entries(variants)) runners.push(await prepare(variant, run, roundMs))
  for (let round = 0; round < rounds; round++) {
    // The order turns with the rounds: nobody always runs behind the same neighbour.
    for (let i = 0; i < runners.length; i++) await runners[(i + round) % runners.length]!.round()
  }
  const summaries = runners.map((runner) => summarize(runner.samples))
  const first = summaries[0]
  if (first === undefined) throw new Error(`Row ${row}: expected at least one variant, got none.`)
  return {
    row,
    ...(o.unit && { unit: o.unit.name }),
    variants: runners.map(({ variant, calls, samples }, i) => {
      const { minMs, p50Ms, p95Ms } = summaries[i]!
      return {
        variant, minMs, p50Ms, p95Ms, ...(calls() === samples.length && { p99Ms: shareOf(samples, 0.99) }), calls: calls(),
        ratio: p50Ms / first.p50Ms,
        ...(o.unit && { perSecond: o.unit.count / (p50Ms / 1_000) }),
        ...(o.quality?.[variant] !== undefined && { quality: o.quality[variant] }),
      }
    }),
  }
}

/** Warms a variant up and finds how many calls make a sample long enough for the clock (20 µs) and a round long enough for `roundMs`. */
async function prepare(variant: string, run: () => unknown, roundMs: number) {
  const asynchronous = run() instanceof Promise
  let perCallMs = Infinity
  for (let i = 0, from = performance.now(); i < 3 || (performance.now() - from < 100 && i < 20_000); i++) {
    const start = performance.now()
    await run()
    perCallMs = Math.min(perCallMs, performance.now() - start)
  }
  const batch = asynchronous ? 1 : Math.max(1, Math.min(10_000, Math.ceil(0.02 / Math.max(perCallMs, 1e-5))))
  const iterations = Math.max(1, Math.min(500, Math.round(roundMs / Math.max(perCallMs * batch, 0.001))))
  const body = asynchronous ? async (): Promise<void> => { await run() } : (): void => { for (let i = 0; i < batch; i++) run() }
  const samples: number[] = []
  return {
    variant, samples, calls: (): number => samples.length * batch,
    async round(): Promise<void> {
      const task = new Tinybench({
        time: 0, iterations, warmup: false, retainSamples: true, throws: true, ...(typeof process === 'object' && { now: hrtimeNow }),
      })
      task.add(variant, body, { async: asynchronous })
      if (asynchronous) await task.run()
      else task.runSync()
      const measured = task.tasks[0]!.result
      if (!('latency' in measured) || measured.latency.samples === undefined) {
        throw new Error(`Variant ${variant}: expected samples, got state ${measured.state}.`)
      }
      for (const sample of measured.latency.samples) samples.push(sample / batch)
    },
  }
}

/**
 * A row against its bar, first variant: by the median, by the least time (what it takes when nobody else wants the processor),
 * and beside the peer of a row that has one.
 */
export function verdict(what: string, barMs: number, { variants }: RowResult): string {
  const [own, ...peers] = variants, peer = peers.at(-1), { p50Ms, minMs } = own!
  const beside = peer === undefined ? '' : `, ${(minMs / peer.minMs).toFixed(2)} × ${peer.variant} (${peer.minMs.toFixed(3)} ms)`
  return `${what}: bar ${barMs} ms, p50 ${p50Ms.toFixed(3)} ms, least ${minMs.toFixed(3)} ms${beside}: ${p50Ms < barMs ? 'met' : minMs < barMs ? 'met at the least only' : 'missed'}`
}

/** A recorded row's first variant against its bar: by the slowest but one in a hundred where the design names that, else by the median. */
export function tail(what: string, barMs: number, { variants }: RowResult, by: 'p99' | 'p50' = 'p99'): string {
  const { p99Ms = NaN, p50Ms, minMs, calls } = variants[0]!
  const judged = by === 'p99' ? p99Ms : p50Ms
  const [lower, name] = by === 'p99' ? [p50Ms, 'by the median'] as const : [minMs, 'at the least'] as const
  return `${what}: bar ${by} ${barMs} ms, p99 ${p99Ms.toFixed(3)} ms of ${calls}, p50 ${p50Ms.toFixed(3)} ms, least ${minMs.toFixed(3)} ms: ${judged < barMs ? 'met' : lower < barMs ? `met ${name} only` : 'missed'}`
}

/**
 * How many times faster the first variant is than each of `against`, by the medians, and whether the least of
 * these reaches the bar; least times in brackets.
 */
export function speedup(bar: number, { variants }: RowResult, against: readonly string[]): string {
  const own = variants[0]!, peers = against.map((name) => {
    const peer = variants.find(({ variant }) => variant === name)
    if (peer === undefined) throw new Error(`Variant ${name}: expected one of ${variants.map(({ variant }) => variant).join(', ')}.`)
    return { name, p50: peer.p50Ms / own.p50Ms, least: peer.minMs / own.minMs }
  })
  return `${peers.map(({ name, p50, least }) => `by ${name} ${p50.toFixed(2)} (${least.toFixed(2)} by the least times)`).join(', ')}; bar ${bar} for the worst of them: ${Math.min(...peers.map(({ p50 }) => p50)) >= bar ? 'met' : 'missed'}`
}

function summarize(samples: readonly number[]): { minMs: number; p50Ms: number; p95Ms: number } {
  return { minMs: shareOf(samples, 0), p50Ms: shareOf(samples, 0.5), p95Ms: shareOf(samples, 0.95) }
}

/** The value below which this part (0 to 1) of all lies. */
function shareOf(samples: readonly number[], part: number): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}

function rowLines(row: RowResult): string[] {
  const width = Math.max(...row.variants.map((variant) => variant.variant.length))
  return [`  ${row.row}`, ...row.variants.map((v) => [
    `    ${v.variant.padEnd(width)}  min ${time(v.minMs)}  p50 ${time(v.p50Ms)}  p95 ${time(v.p95Ms)}${v.p99Ms === undefined ? '' : `  p99 ${time(v.p99Ms)}`}  ratio ${v.ratio.toFixed(2)}`,
    v.perSecond === undefined ? '' : `  ${amount(v.perSecond)} ${row.unit}/s`,
    v.quality === undefined ? '' : `  [${v.quality}]`,
  ].join(''))]
}

function time(ms: number): string {
  if (ms < 0.001) return `${(ms * 1e6).toFixed(0)} ns`.padStart(10)
  if (ms < 1) return `${(ms * 1e3).toFixed(2)} µs`.padStart(10)
  return `${ms.toFixed(2)} ms`.padStart(10)
}

function amount(value: number): string {
  for (const [limit, suffix] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const) {
    if (value >= limit) return `${(value / limit).toFixed(2)} ${suffix}`
  }
  return value.toFixed(1)
}
