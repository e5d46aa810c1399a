import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDot } from '../../src/graph/dump/dot.js'
import { toMermaid } from '../../src/graph/dump/mermaid.js'
import type { Graph } from '../../src/graph/graph.js'
import { flatGraph } from '../../src/graph/subgraph/flatten.js'
import { createEngine, createRegistry, graphFrom } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const registry = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
const read = (document: object): Graph => fromDocument(document, registry)

const chain = read({
  millrace: 1, inputs: { tone: { to: [['loud', 'in']] }, db: { to: [['loud', 'gainDb']], default: 0 } },
  nodes: [{ id: 'loud', type: 'audio::gain' }, { id: 'find', type: 'voice::vad' }],
  edges: [{ from: ['loud', 'out'], to: ['find', 'in'] }], outputs: { segments: ['find', 'segments'] },
})
const odd = read({
  millrace: 1, nodes: [{ id: 'a "b" <c> \\ #d;\u00e9', type: 'x::unknown' }, { id: 'echo', type: 'audio::mix', mode: 'bypass' }],
  edges: [
    { from: ['a "b" <c> \\ #d;\u00e9', 'left'], to: ['echo', 'in'] },
    { from: ['echo', 'out'], to: ['echo', 'in'], delayFrames: 128 },
  ],
})
const nested = read({
  millrace: 1, nodes: [{ id: 'sub', type: 'graph::pair' }, { id: 'end', type: 'audio::gain' }],
  edges: [{ from: ['sub', 'out'], to: ['end', 'in'] }], outputs: { out: ['end', 'out'] },
  definitions: {
    pair: {
      millrace: 1,
      nodes: [{ id: 'x', type: 'audio::gain' }, { id: 'y', type: 'audio::gain' }],
      edges: [{ from: ['x', 'out'], to: ['y', 'in'] }], outputs: { out: ['y', 'out'] },
    },
  },
})

describe('graphs', () => {
  test('inputs, outputs, ports', () => {
    expect(toDot(chain)).toMatchInlineSnapshot(`
      "digraph {
        rankdir=LR
        node [shape=box, style=rounded]
        "loud" [label="loud\\naudio::gain"]
        "find" [label="find\\nvoice::vad"]
        "input tone" [label="tone", shape=ellipse]
        "input db" [label="db", shape=ellipse]
        "output segments" [label="segments", shape=ellipse]
        "loud" -> "find"
        "input tone" -> "loud" [label="in", style=dotted]
        "input db" -> "loud" [label="gainDb", style=dotted]
        "find" -> "output segments" [label="segments"]
      }
      "
    `)
    expect(toMermaid(chain)).toMatchInlineSnapshot(`
      "flowchart LR
        n0["loud<br/>audio::gain"]
        n1["find<br/>voice::vad"]
        n2(["tone"])
        n3(["db"])
        n4(["segments"])
        n0 --> n1
        n2 -.->|"in"| n0
        n3 -.->|"gainDb"| n0
        n1 -->|"segments"| n4
      "
    `)
  })
  test('names that mean something to the language, nodes that do not run, feedback', () => {
    expect(toDot(odd)).toMatchInlineSnapshot(`
      "digraph {
        rankdir=LR
        node [shape=box, style=rounded]
        "a \\"b\\" <c> \\\\ #d;é" [label="a \\"b\\" <c> \\\\ #d;é\\nx::unknown"]
        "echo" [label="echo\\naudio::mix, bypass", style="rounded,dotted"]
        "a \\"b\\" <c> \\\\ #d;é" -> "echo" [label="left → in"]
        "echo" -> "echo" [label="128 frames late", style=dashed, constraint=false]
      }
      "
    `)
    expect(toMermaid(odd)).toMatchInlineSnapshot(`
      "flowchart LR
        n0["a #34;b#34; #60;c#62; \\ #35;d;é<br/>x::unknown"]
        n1["echo<br/>audio::mix, bypass"]:::idle
        n0 -->|"left → in"| n1
        n1 -.->|"128 frames late"| n1
        classDef idle stroke-dasharray: 2
      "
    `)
  })
  test('an edge to a node that is not there', () => {
    const graph = read({ millrace: 1, nodes: [{ id: 'a', type: 'audio::gain' }], edges: [{ from: ['a', 'out'], to: ['b', 'in'] }] })
    expect(toMermaid(graph)).toBe(
      'flowchart LR\n  n0["a<br/>audio::gain"]\n  n1["b<br/>no such node"]:::idle\n  n0 --> n1\n  classDef idle stroke-dasharray: 2\n',
    )
    expect(toDot(graph)).toContain('"b" [label="b\\nno such node", style="rounded,dotted"]')
  })
  test('a subgraph closed and open', () => {
    expect(toDot(nested)).toMatchInlineSnapshot(`
      "digraph {
        rankdir=LR
        node [shape=box, style=rounded]
        "sub" [label="sub\\ngraph::pair"]
        "end" [label="end\\naudio::gain"]
        "output out" [label="out", shape=ellipse]
        "sub" -> "end"
        "end" -> "output out" [label="out"]
      }
      "
    `)
    expect(toMermaid(flatGraph(nested, registry))).toMatchInlineSnapshot(`
      "flowchart LR
        n0["sub/x<br/>audio::gain"]
        n1["sub/y<br/>audio::gain"]
        n2["end<br/>audio::gain"]
        n3(["out"])
        n0 --> n1
        n1 --> n2
        n2 -->|"out"| n3
      "
    `)
  })
})

test('with a plan: media, converters and segments', async () => {
  const tone = nodes.audioBuffer({ data: [new Float32Array(100), new Float32Array(100)], rate: 48_000 })
  const graph = graphFrom({ segments: nodes.vad(nodes.resample(tone, { rate: 16_000 })).segments, pcm: nodes.gain(nodes.toPcm16(tone)) })
  await using engine = await createEngine({ workers: 0, tier: 'js', registry, arenaBytes: 2 ** 24 })
  const compiled = await engine.plan(graph)
  expect(compiled.inserted.length).toBeGreaterThan(0)
  expect(toDot(graph, compiled)).toMatchInlineSnapshot(`
    "digraph {
      rankdir=LR
      node [shape=box, style=rounded]
      subgraph cluster_0 {
        label="segment 0: js on engine"
        "resample-1" [label="resample-1\\naudio::resample"]
        "vad-1" [label="vad-1\\nvoice::vad"]
        "convert-1" [label="convert-1\\naudio::convert"]
        "~convert-1.out~1" [label="~convert-1.out~1\\naudio::convert", style="rounded,dashed"]
        "gain-1" [label="gain-1\\naudio::gain"]
      }
      "audio-buffer-1" [label="audio-buffer-1\\nio::audio-buffer, typescript"]
      "output segments" [label="segments", shape=ellipse]
      "output pcm" [label="pcm", shape=ellipse]
      "audio-buffer-1" -> "resample-1" [label="audio 48000 Hz, 2 channels, f32, planar"]
      "resample-1" -> "vad-1" [label="audio 16000 Hz, 2 channels, f32, planar"]
      "audio-buffer-1" -> "convert-1" [label="audio 48000 Hz, 2 channels, f32, planar"]
      "~convert-1.out~1" -> "gain-1" [label="audio 48000 Hz, 2 channels, f32, planar"]
      "convert-1" -> "~convert-1.out~1" [label="audio 48000 Hz, 2 channels, i16, interleaved"]
      "vad-1" -> "output segments" [label="segments"]
      "gain-1" -> "output pcm" [label="out"]
    }
    "
  `)
  expect(toMermaid(graph, compiled)).toMatchInlineSnapshot(`
    "flowchart LR
      subgraph s0 ["segment 0: js on engine"]
        n1["resample-1<br/>audio::resample"]
        n2["vad-1<br/>voice::vad"]
        n3["convert-1<br/>audio::convert"]
        n4[/"~convert-1.out~1<br/>audio::convert"/]
        n5["gain-1<br/>audio::gain"]
      end
      n0["audio-buffer-1<br/>io::audio-buffer, typescript"]
      n6(["segments"])
      n7(["pcm"])
      n0 -->|"audio 48000 Hz, 2 channels, f32, planar"| n1
      n1 -->|"audio 16000 Hz, 2 channels, f32, planar"| n2
      n0 -->|"audio 48000 Hz, 2 channels, f32, planar"| n3
      n4 -->|"audio 48000 Hz, 2 channels, f32, planar"| n5
      n3 -->|"audio 48000 Hz, 2 channels, i16, interleaved"| n4
      n2 -->|"segments"| n6
      n5 -->|"out"| n7
    "
  `)
})
