/** Most names that a hint offers. */
const MOST = 3
/** Names longer than this are cut before they are compared: the cost is quadratic. */
const LONGEST = 64

/** Up to three of `names` that `given` may have meant, nearest first: at most a third of its letters away, letter case aside. */
export function nearest(given: string, names: readonly string[]): string[] {
  const word = given.slice(0, LONGEST).toLowerCase(), most = Math.max(1, Math.floor(word.length / 3))
  return names
    .map((name) => ({ name, distance: distance(word, name.slice(0, LONGEST).toLowerCase(), most) }))
    .filter((candidate) => candidate.distance <= most)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, MOST).map((candidate) => candidate.name)
}

/** Edit distance (insert, delete, change, swap of neighbours each cost 1), or `most` + 1 when it is larger. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = [], row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(change, row[j]! + 1, next[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1)
      next.push(best)
    }
    before = row
    row = next
  }
  return Math.min(row[b.length]!, most + 1)
}
