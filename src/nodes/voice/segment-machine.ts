/** Thresholds and times of {@link SegmentMachine}; times in frames. */
export interface SegmentRules {
  /** A value of at least this opens a segment; a value below `leave` is silence. */
  readonly enter: number
  readonly leave: number
  readonly minSpeech: number
  readonly minSilence: number
  readonly pad: number
  /** Longest segment; 0: none. */
  readonly maxSpeech: number
  /** Frames that one value stands for. */
  readonly hop: number
  /** Tell a start at once, and cancel it if the segment turns out too short. */
  readonly early: boolean
}
/**
 * One decision. `from`, `to`: absolute frames, padded. `probability`: of the value that opened (start), mean of the segment (end, cancel).
 */
export interface SegmentMark {
  readonly type: 'start' | 'end' | 'cancel'
  readonly from: number
  readonly to?: number
  readonly probability: number
}

/** Decided, but perhaps not yet to be told: a padded end may lie beyond what has been heard. */
interface Pending { readonly type: SegmentMark['type']; readonly at: number; readonly probability: number }

/**
 * Turns probabilities into segments (spec audio.md, AU-49), value by value. QUIET –(p ≥ enter)→ SPEECH; in SPEECH values below `leave` are
 * a silence run, which ends the segment at its first frame once it lasts `minSilence`. Shorter than `minSpeech`: dropped. NaN counts as 0.
 * Marks come in order, and none before the frames it names have been heard, so chunks do not matter.
 */
export class SegmentMachine {
  readonly #rules: SegmentRules
  readonly #origin: number
  #position: number
  /** First frame of the open segment; −1: QUIET. */
  #start = -1
  #silence = -1
  /** Values of the open segment, when a cut may need them; and their sums, in all and up to the silence run. */
  #values: number[] = []
  #opening = 0
  #sum = 0
  #count = 0
  #spokenSum = 0
  #spokenCount = 0
  /** The open segment's start stands in the queue or was told. */
  #told = false
  #queue: Pending[] = []
  /** Padded end of the last segment, padded start of the one being told. */
  #lastEnd: number
  #from = 0

  /** `origin`: absolute frame of the first value. */
  constructor(rules: SegmentRules, origin = 0) {
    this.#rules = rules
    this.#origin = this.#position = this.#lastEnd = origin
  }

  /** First frame that has not been heard. */
  get position(): number { return this.#position }

  /** Takes the next value. */
  push(value: number): SegmentMark[] {
    const p = Number.isNaN(value) ? 0 : value, { enter, leave, hop, minSilence, maxSpeech } = this.#rules, at = this.#position
    this.#position += hop
    if (this.#start < 0 && p >= enter) this.#open(at, p)
    if (this.#start >= 0) {
      this.#add(p)
      if (p < leave) {
        if (this.#silence < 0) this.#silence = at
        if (this.#position - this.#silence >= minSilence) this.#close(this.#silence, this.#spokenSum, this.#spokenCount)
      } else {
        this.#silence = -1
        this.#markSpoken()
        if (this.#position - this.#start >= this.#rules.minSpeech) this.#tell()
      }
      if (this.#start >= 0 && maxSpeech > 0 && this.#position - this.#start >= maxSpeech) this.#cut()
    }
    return this.#drain(false)
  }

  /** The stream ends: an open segment is closed at its last frame. */
  flush(): SegmentMark[] {
    if (this.#start >= 0) this.#close(this.#position, this.#sum, this.#count)
    return this.#drain(true)
  }

  #open(at: number, p: number): void {
    this.#start = at
    this.#silence = -1
    this.#opening = p
    this.#values = []
    this.#sum = this.#count = this.#spokenSum = this.#spokenCount = 0
    this.#told = false
    if (this.#rules.early) this.#tell()
  }

  #add(p: number): void {
    if (this.#rules.maxSpeech > 0) this.#values.push(p)
    this.#sum += p
    this.#count++
  }

  #markSpoken(): void {
    this.#spokenSum = this.#sum
    this.#spokenCount = this.#count
  }

  #tell(): void {
    if (!this.#told) this.#queue.push({ type: 'start', at: this.#start, probability: this.#opening })
    this.#told = true
  }

  #close(end: number, sum: number, count: number): void {
    const length = end - this.#start, probability = count === 0 ? 0 : sum / count
    if (length > 0 && length >= this.#rules.minSpeech) {
      this.#tell()
      this.#queue.push({ type: 'end', at: end, probability })
    } else if (this.#told) this.#queue.push({ type: 'cancel', at: end, probability })
    this.#start = -1
  }

  /** Too long: ends at the lowest value of the last half, and goes on from there. */
  #cut(): void {
    const values = this.#values, first = this.#start, silence = this.#silence
    let lowest = Math.max(1, Math.floor(values.length / 2))
    for (let n = lowest + 1; n < values.length; n++) if (values[n]! < values[lowest]!) lowest = n
    const at = first + lowest * this.#rules.hop, head = values.slice(0, lowest), tail = values.slice(lowest)
    this.#close(at, head.reduce((sum, p) => sum + p, 0), head.length)
    if (tail.length === 0) return
    this.#open(at, tail[0]!)
    this.#silence = silence < 0 ? -1 : Math.max(silence, at)
    const spoken = this.#silence < 0 ? tail.length : (this.#silence - at) / this.#rules.hop
    tail.forEach((p, n) => {
      this.#add(p)
      if (n + 1 === spoken) this.#markSpoken()
    })
    if (spoken * this.#rules.hop >= this.#rules.minSpeech && spoken > 0) this.#tell()
  }

  /** Tells what is certain by now: an end as soon as its padding has been heard, the rest behind it in order. */
  #drain(final: boolean): SegmentMark[] {
    const marks: SegmentMark[] = [], { pad } = this.#rules
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const { type, at, probability } = next
      if (type === 'end' && at + pad > this.#position && !final) break
      this.#queue.shift()
      if (type === 'start') {
        this.#from = Math.max(this.#origin, this.#lastEnd, at - pad)
        marks.push({ type, from: this.#from, probability })
      } else {
        const to = type === 'end' ? Math.min(at + pad, this.#position) : Math.max(at, this.#from)
        if (type === 'end') this.#lastEnd = to
        marks.push({ type, from: this.#from, to, probability })
      }
    }
    return marks
  }
}
