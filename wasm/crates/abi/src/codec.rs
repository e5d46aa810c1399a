//! Codec of control messages (MW-38), twin of src/workers/codec/packet-codec.ts: same bytes, same faults. Values are a tree by the schema
//! of `codec_table.rs`; JSON stays text, as it is on the wire.

use crate::codec_table::{field, packet, packet_fault as fault, packet_flag, schema, tensor_ref, PACKET_VERSION, REFUSED_TYPES};

/// Where a tensor's bytes are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorRef {
    pub arena: u8,
    pub dtype: u8,
    pub flags: u8,
    pub index: u32,
    pub generation: u32,
    pub offset: u32,
    pub bytes: u32,
    pub shape: Vec<u32>,
    pub strides: Vec<i32>,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    U8(u8),
    U32(u32),
    I32(i32),
    U64(u64),
    F64(f64),
    Bool(bool),
    /// TEXT and JSON.
    Text(String),
    Tensor(TensorRef),
    List(Vec<Value>),
    /// Sorted by key.
    Map(Vec<(String, Value)>),
    Option(Option<Box<Value>>),
    Record(Vec<Value>),
}

/// Header fields beside type and version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    pub flags: u8,
    pub seq: u32,
    pub request_id: [u8; 16],
    pub timestamp_ms: i64,
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub parent_span_id: [u8; 8],
}

/// A message; `body` in the order of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    pub kind: u8,
    pub header: Header,
    pub body: Vec<Value>,
}

/// A code of `packet_fault`; SKIP for an optional message of an unknown type.
pub type Fault = i32;

const EXACT: u64 = (1 << 53) - 1;

/// A message from bytes. Never reads outside, never panics, makes nothing larger than the bytes.
pub fn decode(bytes: &[u8]) -> Result<Packet, Fault> {
    if bytes.len() < packet::BYTES {
        return Err(fault::TRUNCATED);
    }
    let mut header = Cursor { bytes, at: 0 };
    let (kind, flags, version) = (header.u8()?, header.u8()?, u16::from_le_bytes(header.array()?));
    if version != PACKET_VERSION {
        return Err(fault::VERSION);
    }
    let Some(kinds) = schema(kind) else {
        let optional = flags & packet_flag::OPTIONAL != 0 && kind > 0 && kind < REFUSED_TYPES;
        return Err(if optional { fault::SKIP } else { fault::TYPE });
    };
    let header = Header {
        flags,
        seq: header.u32()?,
        request_id: header.array()?,
        timestamp_ms: i64::from_le_bytes(header.array()?),
        trace_id: header.array()?,
        span_id: header.array()?,
        parent_span_id: header.array()?,
    };
    let mut cursor = Cursor { bytes, at: packet::BYTES };
    // A large payload stands in a block; its reference is all that is here.
    let kinds: &[u8] = if flags & packet_flag::BLOCK != 0 { &[field::TENSOR] } else { kinds };
    let body = cursor.all(&mut Schema(kinds), usize::MAX)?;
    if cursor.at == bytes.len() {
        Ok(Packet { kind, header, body })
    } else {
        Err(fault::TRAILING)
    }
}

/// A message as bytes.
pub fn encode(message: &Packet) -> Vec<u8> {
    let h = &message.header;
    let mut out = vec![message.kind, h.flags];
    out.extend(PACKET_VERSION.to_le_bytes());
    out.extend(h.seq.to_le_bytes());
    out.extend(h.request_id);
    out.extend(h.timestamp_ms.to_le_bytes());
    out.extend(h.trace_id);
    out.extend(h.span_id);
    out.extend(h.parent_span_id);
    message.body.iter().for_each(|value| put(&mut out, value));
    out
}

fn put(out: &mut Vec<u8>, value: &Value) {
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.as_bytes());
    };
    match value {
        Value::U8(x) => out.push(*x),
        Value::U32(x) => out.extend(x.to_le_bytes()),
        Value::I32(x) => out.extend(x.to_le_bytes()),
        Value::U64(x) => out.extend(x.to_le_bytes()),
        Value::F64(x) => out.extend(x.to_le_bytes()),
        Value::Bool(x) => out.push(u8::from(*x)),
        Value::Text(x) => text(out, x),
        Value::Tensor(x) => {
            out.extend([x.arena, x.dtype, x.shape.len() as u8, x.flags]);
            [x.index, x.generation, x.offset, x.bytes].iter().chain(&x.shape).for_each(|word| out.extend(word.to_le_bytes()));
            x.strides.iter().for_each(|word| out.extend(word.to_le_bytes()));
        }
        Value::List(items) => {
            out.extend((items.len() as u32).to_le_bytes());
            items.iter().for_each(|item| put(out, item));
        }
        Value::Map(entries) => {
            out.extend((entries.len() as u32).to_le_bytes());
            for (key, item) in entries {
                text(out, key);
                put(out, item);
            }
        }
        Value::Option(some) => {
            out.push(u8::from(some.is_some()));
            some.iter().for_each(|item| put(out, item));
        }
        Value::Record(items) => items.iter().for_each(|item| put(out, item)),
    }
}

/// What is left of a string of kinds.
#[derive(Clone, Copy)]
struct Schema<'a>(&'a [u8]);

impl Schema<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }
    /// Steps over one field with what belongs to it.
    fn skip(&mut self) {
        match self.next() {
            Some(field::LIST | field::MAP | field::OPTION) => self.skip(),
            Some(field::RECORD) => (0..self.next().unwrap_or(0)).for_each(|_| self.skip()),
            _ => {}
        }
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count)).ok_or(fault::TRUNCATED)?;
        self.at += count;
        Ok(taken)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.take(N)?.try_into().map_err(|_| fault::TRUNCATED)
    }
    fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }
    fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    fn bit(&mut self) -> Result<bool, Fault> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(fault::VALUE),
        }
    }
    fn text(&mut self) -> Result<String, Fault> {
        let count = self.u32()? as usize;
        core::str::from_utf8(self.take(count)?).map(String::from).map_err(|_| fault::TEXT)
    }
    /// A count of values, each of which takes at least a byte.
    fn count(&mut self) -> Result<u32, Fault> {
        let count = self.u32()?;
        if count as usize > self.bytes.len() - self.at {
            return Err(fault::TRUNCATED);
        }
        Ok(count)
    }
    fn all(&mut self, kinds: &mut Schema<'_>, most: usize) -> Result<Vec<Value>, Fault> {
        let mut values = Vec::new();
        while values.len() < most && !kinds.0.is_empty() {
            values.push(self.value(kinds)?);
        }
        Ok(values)
    }
    fn value(&mut self, kinds: &mut Schema<'_>) -> Result<Value, Fault> {
        Ok(match kinds.next().unwrap_or(0) {
            field::U8 => Value::U8(self.u8()?),
            field::U32 => Value::U32(self.u32()?),
            field::I32 => Value::I32(i32::from_le_bytes(self.array()?)),
            field::U64 => match u64::from_le_bytes(self.array()?) {
                exact if exact <= EXACT => Value::U64(exact),
                _ => return Err(fault::VALUE),
            },
            field::F64 => Value::F64(f64::from_le_bytes(self.array()?)),
            field::BOOL => Value::Bool(self.bit()?),
            field::TEXT | field::JSON => Value::Text(self.text()?),
            field::TENSOR => Value::Tensor(self.tensor()?),
            field::LIST => {
                let (count, inner) = (self.count()?, *kinds);
                kinds.skip();
                Value::List((0..count).map(|_| self.value(&mut { inner })).collect::<Result<_, _>>()?)
            }
            field::MAP => {
                let (count, inner) = (self.count()?, *kinds);
                kinds.skip();
                Value::Map((0..count).map(|_| Ok((self.text()?, self.value(&mut { inner })?))).collect::<Result<_, Fault>>()?)
            }
            field::OPTION => {
                let (some, inner) = (self.bit()?, *kinds);
                kinds.skip();
                Value::Option(if some { Some(Box::new(self.value(&mut { inner })?)) } else { None })
            }
            _ => {
                let count = kinds.next().unwrap_or(0);
                Value::Record(self.all(kinds, count as usize)?)
            }
        })
    }
    fn tensor(&mut self) -> Result<TensorRef, Fault> {
        let [arena, dtype, dimensions, flags] = self.array()?;
        let (index, generation, offset, bytes) = (self.u32()?, self.u32()?, self.u32()?, self.u32()?);
        if dimensions as usize > tensor_ref::MOST_DIMENSIONS {
            return Err(fault::VALUE);
        }
        let shape = (0..dimensions).map(|_| self.u32()).collect::<Result<_, _>>()?;
        let strides = (0..dimensions).map(|_| Ok(i32::from_le_bytes(self.array()?))).collect::<Result<_, Fault>>()?;
        Ok(TensorRef { arena, dtype, flags, index, generation, offset, bytes, shape, strides })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// One line a leaf, as the tests in TypeScript write them.
    fn leaves(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::U8(x) => out.push(format!("u8 {x}")),
            Value::U32(x) => out.push(format!("u32 {x}")),
            Value::I32(x) => out.push(format!("i32 {x}")),
            Value::U64(x) => out.push(format!("u64 {x}")),
            Value::F64(x) => out.push(format!("f64 {:016x}", x.to_bits())),
            Value::Bool(x) => out.push(format!("bool {}", u8::from(*x))),
            Value::Text(x) => out.push(format!("text {}", x.replace('\n', "\\n"))),
            Value::Tensor(x) => out.push(format!(
                "tensor {} {} {} {} {} {} {} [{}] [{}]",
                x.arena,
                x.dtype,
                x.flags,
                x.index,
                x.generation,
                x.offset,
                x.bytes,
                x.shape.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
                x.strides.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
            )),
            Value::List(items) => {
                out.push(format!("list {}", items.len()));
                items.iter().for_each(|item| leaves(item, out));
            }
            Value::Map(entries) => {
                out.push(format!("map {}", entries.len()));
                for (key, item) in entries {
                    out.push(format!("text {key}"));
                    leaves(item, out);
                }
            }
            Value::Option(some) => {
                out.push(format!("option {}", u8::from(some.is_some())));
                some.iter().for_each(|item| leaves(item, out));
            }
            Value::Record(items) => items.iter().for_each(|item| leaves(item, out)),
        }
    }

    /// test/workers/codec/golden.txt: a line each for name, bytes in hex, then its leaves, then an empty line.
    #[test]
    fn golden_vectors() {
        let text = include_str!("../../../../test/workers/codec/golden.txt");
        let mut seen = 0;
        for vector in text.trim_end().split("\n\n") {
            let mut lines = vector.lines();
            let (name, bytes) = (lines.next().unwrap(), unhex(lines.next().unwrap()));
            let packet = decode(&bytes).unwrap_or_else(|fault| panic!("{name}: fault {fault}"));
            let mut found = Vec::new();
            packet.body.iter().for_each(|value| leaves(value, &mut found));
            assert_eq!(found, lines.collect::<Vec<_>>(), "{name}");
            assert_eq!(encode(&packet), bytes, "{name}");
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Err(fault::TRUNCATED), "{name} cut at {cut}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(decode(&longer), Err(fault::TRAILING), "{name} with a byte more");
            seen += 1;
        }
        assert!(seen >= 15, "{seen} vectors");
    }

    #[test]
    fn types_and_versions() {
        let mut ping = encode(&Packet { kind: 14, header: Header::default(), body: vec![] });
        assert_eq!(ping.len(), packet::BYTES);
        for (kind, flags, expected) in [
            (0, 0, fault::TYPE),
            (0, 128, fault::TYPE),
            (16, 0, fault::TYPE),
            (16, 128, fault::SKIP),
            (63, 128, fault::SKIP),
            (64, 128, fault::TYPE),
            (255, 128, fault::TYPE),
        ] {
            ping[0] = kind;
            ping[1] = flags;
            assert_eq!(decode(&ping), Err(expected), "type {kind} flags {flags}");
        }
        ping[2] = 2;
        assert_eq!(decode(&ping), Err(fault::VERSION));
    }
}
