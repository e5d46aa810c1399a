/**
 * A pure function that asks `ask` once for each argument, by identity; of several arguments, one after the other: `f(a)(b)`. Nodes of one
 * type ask the same again and again, and answers that are one object need no comparing further on. Keeps all that it was asked: for the
 * length of one negotiation.
 */
export function remembering<A, T>(ask: (a: A) => T): (a: A) => T {
  const answers = new Map<A, T>()
  return (a) => {
    let answer = answers.get(a)
    if (answer === undefined && !answers.has(a)) answers.set(a, answer = ask(a))
    return answer as T
  }
}
