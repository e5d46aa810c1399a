/** Major, minor, patch, and the parts of a pre-release. */
interface Version { readonly numbers: readonly [number, number, number]; readonly pre: readonly string[] }
interface Comparator { readonly op: '=' | '<' | '<=' | '>' | '>='; readonly version: Version }

const PART = '(0|[1-9]\\d{0,9}|[xX*])', WORD = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const PARTIAL = /* @__PURE__ */ new RegExp(
  `^v?${PART}(?:\\.${PART}(?:\\.${PART}(?:-(${WORD}(?:\\.${WORD})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?)?)?$`,
)

/**
 * True when `version` lies in `range`: node-semver's grammar (`^1.2`, `~1.2.3`, `>=1 <2`, `1.x`, `1.0.0 - 2.0.0`, `a || b`, `*`) and its
 * rule that a pre-release only fits a range that names one of the same three numbers; what allows everything (`>=0.0.0`) names none, and as
 * an alternative hides the others. False for what is no version or no range.
 */
export function satisfies(version: string, range: string): boolean {
  const exact = parseVersion(version)
  if (exact === undefined) return false
  const sets = parseRange(range)?.map((set) => set.filter(({ op, version: { numbers, pre } }) =>
    op !== '>=' || `${numbers} ${pre}` !== '0,0,0 ')) ?? []
  return sets.some((set) => set.length === 0)
    ? exact.pre.length === 0
    : sets.some((set) => set.every((c) => holds(exact, c)) && preAllowed(exact, set))
}

/** True for text that is a range. */
export function isRange(range: string): boolean { return parseRange(range) !== undefined }

/** Order of two versions, as `sort` wants it; what is no version stands first. */
export function compareVersions(a: string, b: string): number {
  const x = parseVersion(a), y = parseVersion(b)
  return x === undefined || y === undefined ? Number(x !== undefined) - Number(y !== undefined) : compare(x, y)
}

/**
 * The oldest version that a range asks for, of its newest alternative: what `^1.2`, `1.x` or `>=1.2.0 <2` was written
 * for. Undefined for one without a lower end.
 */
export function oldestOf(range: string): string | undefined {
  const lows = parseRange(range)?.flatMap((set) => set.flatMap(({ op, version: { numbers, pre } }) =>
    op[0] !== '<' ? [`${numbers.join('.')}${pre.length > 0 ? `-${pre.join('.')}` : ''}`] : []).slice(0, 1)) ?? []
  return lows.sort(compareVersions).at(-1)
}

/** A version is a word that stands for itself alone. */
function parseVersion(text: string): Version | undefined {
  const word = text.trim(), [own] = word[0] === '=' ? [] : simple(word) ?? []
  return own?.op === '=' ? own.version : undefined
}

function parseRange(range: string): Comparator[][] | undefined {
  if (range.length > 255) return undefined
  const sets = range.split('||').map((part) => parseSet(part.trim()))
  return sets.includes(undefined) ? undefined : sets as Comparator[][]
}

function parseSet(text: string): Comparator[] | undefined {
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text)
  if (hyphen !== null) {
    const low = simple(`>=${hyphen[1]}`), high = simple(`<=${hyphen[2]}`)
    return low === undefined || high === undefined ? undefined : [...low, ...high]
  }
  const words = text.replace(/(<=|>=|[<>=~^])\s+/g, '$1').split(/\s+/).filter((word) => word !== '').map(simple)
  return words.includes(undefined) ? undefined : (words as Comparator[][]).flat()
}

/** One word of a range as lower and upper bounds. */
function simple(word: string): Comparator[] | undefined {
  const [, op = '', text = ''] = /^(<=|>=|[<>=~^])?(.*)$/.exec(word) ?? []
  const match = PARTIAL.exec(text)
  if (match === null) return undefined
  const parts = [match[1], match[2], match[3]].map((part) => part === undefined || /[xX*]/.test(part) ? undefined : Number(part))
  const wild = parts.indexOf(undefined), given = wild < 0 ? 3 : wild
  if (parts.slice(given).some((part) => part !== undefined)) return undefined                      // a number behind a wildcard
  const [a = 0, b = 0, c = 0] = parts.slice(0, given) as number[]
  const low: Version = { numbers: [a, b, c], pre: given === 3 ? match[4]?.split('.') ?? [] : [] }
  /** First version above everything that the given parts cover. */
  const above = (place: number): Version =>
    ({ numbers: place === 0 ? [a + 1, 0, 0] : place === 1 ? [a, b + 1, 0] : [a, b, c + 1], pre: ['0'] })
  const from: Comparator = { op: '>=', version: low }
  if (given === 0) return op === '<' || op === '>' ? [{ op: '<', version: { numbers: [0, 0, 0], pre: ['0'] } }] : []
  switch (op) {
    case '>=': return [from]
    case '<': return [{ op: '<', version: given === 3 ? low : { ...low, pre: ['0'] } }]
    case '>': return given === 3 ? [{ op: '>', version: low }] : [{ op: '>=', version: { ...above(given - 1), pre: [] } }]
    case '<=': return given === 3 ? [{ op: '<=', version: low }] : [{ op: '<', version: above(given - 1) }]
    case '~': return [from, { op: '<', version: above(given === 1 ? 0 : 1) }]
    case '^': return [from, { op: '<', version: above(a > 0 || given === 1 ? 0 : b > 0 || given === 2 ? 1 : 2) }]
    default: return given === 3 ? [{ op: '=', version: low }] : [from, { op: '<', version: above(given - 1) }]
  }
}

function holds(version: Version, { op, version: bound }: Comparator): boolean {
  const order = compare(version, bound)
  return order === 0 ? op !== '<' && op !== '>' : op[0] === (order < 0 ? '<' : '>')
}

function preAllowed(version: Version, set: readonly Comparator[]): boolean {
  return version.pre.length === 0 || set.some(({ version: bound }) =>
    bound.pre.length > 0 && bound.numbers.every((n, i) => n === version.numbers[i]))
}

function compare(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i]! - b.numbers[i]!
  if (a.pre.length === 0 || b.pre.length === 0) return Number(a.pre.length === 0) - Number(b.pre.length === 0)
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const x = a.pre[i], y = b.pre[i]
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1
    if (x !== y) return comparePart(x, y)
  }
  return 0
}

/** Numbers before words, numbers by value. */
function comparePart(x: string, y: string): number {
  const a = /^\d+$/.test(x), b = /^\d+$/.test(y)
  if (a && b) return Number(x) - Number(y)
  return a !== b ? (a ? -1 : 1) : x < y ? -1 : 1
}
