/**
 * A reader of Arrow IPC streams, as far as the archive writes them (`formats/arrow.py`): uncompressed, without
 * dictionaries, little-endian. apache-arrow reads more and weighs 40 kB compressed and six packages; this is under 2 kB
 * and gives what plots want: one Float64Array per number column, codes and words per text column.
 *
 * The format: https://arrow.apache.org/docs/format/Columnar.html, "Serialization and Interprocess Communication".
 */

/** NaN stands for what is missing. */
export interface Numbers {
  readonly kind: "number";
  readonly values: Float64Array;
  /** Milliseconds since 1970 in `values`. */
  readonly time: boolean;
}

/** Each row's text is `words[codes[row]]`; −1 stands for what is missing. */
export interface Texts {
  readonly kind: "text";
  readonly codes: Int32Array;
  readonly words: readonly string[];
}

export interface Frame {
  readonly length: number;
  readonly columns: ReadonlyMap<string, Numbers | Texts>;
}

/** Thrown when a stream is not one, broke off, or has something that the archive does not write. */
export class ArrowError extends Error {}

/** Kinds of columns, as the schema numbers them; a stream may name others, so a field's kind is any number. */
const Type = { Null: 1, Int: 2, Float: 3, Utf8: 5, Bool: 6, Timestamp: 10, List: 12, FixedList: 16, LargeUtf8: 20 } as const;

interface Field {
  readonly name: string;
  readonly type: number;
  /** Bits of a whole number; 0 half, 1 single, 2 double of a fractional one; unit of an instant (0 s … 3 ns). */
  readonly detail: number;
  readonly signed: boolean;
  readonly children: readonly Field[];
}

/** A table of a flatbuffer: its fields are found through its vtable, each may be absent. */
class Table {
  constructor(readonly view: DataView, readonly at: number) {}

  /** Place of a field's content, or 0. */
  place(index: number): number {
    const vtable = this.at - this.view.getInt32(this.at, true);
    const entry = 4 + 2 * index;
    if (entry >= this.view.getUint16(vtable, true)) return 0;
    const offset = this.view.getUint16(vtable + entry, true);
    return offset === 0 ? 0 : this.at + offset;
  }

  short(index: number): number {
    const place = this.place(index);
    return place ? this.view.getInt16(place, true) : 0;
  }

  int(index: number): number {
    const place = this.place(index);
    return place ? this.view.getInt32(place, true) : 0;
  }

  byte(index: number): number {
    const place = this.place(index);
    return place ? this.view.getUint8(place) : 0;
  }

  long(index: number): number {
    const place = this.place(index);
    return place ? Number(this.view.getBigInt64(place, true)) : 0;
  }

  table(index: number): Table | undefined {
    const place = this.place(index);
    return place ? new Table(this.view, place + this.view.getUint32(place, true)) : undefined;
  }

  /** First element and number of elements of a vector. */
  vector(index: number): [number, number] {
    const place = this.place(index);
    if (!place) return [0, 0];
    const start = place + this.view.getUint32(place, true);
    return [start + 4, this.view.getUint32(start, true)];
  }

  text(index: number): string {
    const [start, length] = this.vector(index);
    return UTF8.decode(new Uint8Array(this.view.buffer, this.view.byteOffset + start, length));
  }

  tables(index: number): Table[] {
    const [start, length] = this.vector(index);
    return Array.from({ length }, (_, k) => {
      const place = start + 4 * k;
      return new Table(this.view, place + this.view.getUint32(place, true));
    });
  }
}

const UTF8 = new TextDecoder();

interface Batch {
  readonly header: Table;
  /** Where the buffers of the batch begin in the stream. */
  readonly body: number;
}

/** The columns of a whole stream; columns of arrays, which no plot takes, are passed over. */
export function read(buffer: ArrayBuffer): Frame {
  const view = new DataView(buffer);
  const { schema, batches } = messages(view);
  const fields = schema.tables(1).map(field);
  const length = batches.reduce((sum, batch) => sum + batch.header.long(0), 0);
  const sinks = fields.map((one) => sink(one, length));
  let row = 0;
  for (const batch of batches) {
    const reader = new BatchReader(view, batch);
    fields.forEach((one, k) => { reader.column(one, sinks[k], row); });
    row += batch.header.long(0);
  }
  const columns = new Map<string, Numbers | Texts>();
  fields.forEach((one, k) => {
    const filled = sinks[k];
    if (filled) columns.set(one.name, filled instanceof TextSink ? filled.done() : { kind: "number", values: filled, time: one.type === Type.Timestamp });
  });
  return { length, columns };
}

function messages(view: DataView): { schema: Table; batches: Batch[] } {
  let schema: Table | undefined;
  const batches: Batch[] = [];
  let at = 0;
  while (at + 8 <= view.byteLength) {
    if (view.getUint32(at, true) !== 0xffffffff) throw new ArrowError("The archive's answer is no Arrow stream.");
    const size = view.getInt32(at + 4, true);
    if (size === 0) {
      if (!schema) break;
      return { schema, batches };
    }
    const start = at + 8;
    if (size < 0 || start + size > view.byteLength) break;
    const message = new Table(view, start + view.getUint32(start, true));
    const body = start + size;
    const next = body + message.long(3);
    if (next > view.byteLength) break;
    const header = message.table(2);
    const kind = message.byte(1);
    if (!header) throw new ArrowError("The archive's answer has an Arrow message without a header.");
    if (kind === 1) schema = header;
    else if (kind === 3) {
      if (header.place(3)) throw new ArrowError("The archive's answer is compressed Arrow, which this page does not read.");
      batches.push({ header, body });
    } else throw new ArrowError("The archive's answer has Arrow messages that this page does not read.");
    at = next;
  }
  throw new ArrowError("The archive's answer broke off. Try again.");
}

function field(table: Table): Field {
  const type = table.byte(2);
  const described = table.table(3);
  const detail = !described ? 0 : type === Type.Int ? described.int(0) : type === Type.Float || type === Type.Timestamp ? described.short(0) : 0;
  if (table.place(4)) throw new ArrowError(`Column ${table.text(0)} comes as a dictionary, which this page does not read.`);
  return { name: table.text(0), type, detail, signed: described !== undefined && described.byte(1) !== 0, children: table.tables(5).map(field) };
}

type Sink = Float64Array | TextSink | undefined;

function sink(one: Field, length: number): Sink {
  switch (one.type) {
    case Type.Int: case Type.Float: case Type.Bool: case Type.Timestamp: return new Float64Array(length);
    case Type.Utf8: case Type.LargeUtf8: return new TextSink(length);
    default: return undefined;
  }
}

class TextSink {
  readonly codes: Int32Array;
  private readonly known = new Map<string, number>();

  constructor(length: number) {
    this.codes = new Int32Array(length).fill(-1);
  }

  put(row: number, text: string): void {
    let code = this.known.get(text);
    if (code === undefined) {
      code = this.known.size;
      this.known.set(text, code);
    }
    this.codes[row] = code;
  }

  done(): Texts {
    return { kind: "text", codes: this.codes, words: [...this.known.keys()] };
  }
}

/** Takes a batch's nodes and buffers in the order in which the format lists them: depth first. */
class BatchReader {
  private node: number;
  private buffer: number;

  constructor(private readonly view: DataView, private readonly batch: Batch) {
    this.node = batch.header.vector(1)[0];
    this.buffer = batch.header.vector(2)[0];
  }

  private nextNode(): { length: number; nulls: number } {
    const at = this.node;
    this.node += 16;
    return { length: Number(this.view.getBigInt64(at, true)), nulls: Number(this.view.getBigInt64(at + 8, true)) };
  }

  /** Offset in the stream and bytes. Checked here, so that nothing below reads outside of the answer. */
  private nextBuffer(): [number, number] {
    const at = this.buffer;
    this.buffer += 16;
    const start = this.batch.body + Number(this.view.getBigInt64(at, true));
    const size = Number(this.view.getBigInt64(at + 8, true));
    if (start < 0 || size < 0 || start + size > this.view.byteLength) throw new ArrowError("The archive's answer is damaged.");
    return [start, size];
  }

  column(one: Field, into: Sink, row: number): void {
    const { length, nulls } = this.nextNode();
    if (one.type === Type.Null) return;
    const [validity, bits] = this.nextBuffer();
    if (one.type === Type.List || one.type === Type.FixedList) {
      if (one.type === Type.List) this.nextBuffer();
      one.children.forEach((child) => { this.column(child, undefined, 0); });
      return;
    }
    const missing = nulls > 0 && bits > 0 ? this.bits(validity, length) : undefined;
    if (one.type === Type.Utf8 || one.type === Type.LargeUtf8) {
      this.texts(one, length, missing, into as TextSink | undefined, row);
      return;
    }
    const [start, size] = this.nextBuffer();
    if (into === undefined) return;
    const out = (into as Float64Array).subarray(row, row + length);
    this.numbers(one, start, size, out);
    if (missing) for (let k = 0; k < length; k++) if (!missing[k]) out[k] = NaN;
  }

  private bits(start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(this.view.buffer, start, (length + 7) >> 3);
    const out = new Uint8Array(length);
    for (let k = 0; k < length; k++) out[k] = (bytes[k >> 3] >> (k & 7)) & 1;
    return out;
  }

  /** A copy where the stream's bytes do not lie on the element's boundary, which typed arrays want. */
  private aligned(start: number, size: number, element: number): [ArrayBuffer, number] {
    const buffer = this.view.buffer as ArrayBuffer;
    return start % element === 0 ? [buffer, start] : [buffer.slice(start, start + size), 0];
  }

  private numbers(one: Field, start: number, size: number, out: Float64Array): void {
    const width = one.type === Type.Bool ? 0 : one.type === Type.Timestamp ? 8 : one.type === Type.Int ? one.detail / 8 : [2, 4, 8][one.detail];
    if (size < (width === 0 ? (out.length + 7) >> 3 : width * out.length)) throw new ArrowError("The archive's answer is damaged.");
    if (width === 0) {
      out.set(this.bits(start, out.length));
      return;
    }
    const [buffer, at] = this.aligned(start, size, width);
    const n = out.length;
    if (one.type === Type.Float) {
      if (width === 8) out.set(new Float64Array(buffer, at, n));
      else if (width === 4) out.set(new Float32Array(buffer, at, n));
      else throw new ArrowError(`Column ${one.name} has half-precision numbers, which this page does not read.`);
      return;
    }
    if (width === 8) {
      // Two halves instead of BigInt: the same nearest double, ten times as fast.
      const halves = new Int32Array(buffer, at, 2 * n);
      const scale = one.type === Type.Timestamp ? [1000, 1, 1e-3, 1e-6][one.detail] : 1;
      for (let k = 0; k < n; k++) out[k] = (halves[2 * k + 1] * 4294967296 + (halves[2 * k] >>> 0)) * scale;
      return;
    }
    if (width === 4) out.set(one.signed ? new Int32Array(buffer, at, n) : new Uint32Array(buffer, at, n));
    else if (width === 2) out.set(one.signed ? new Int16Array(buffer, at, n) : new Uint16Array(buffer, at, n));
    else out.set(one.signed ? new Int8Array(buffer, at, n) : new Uint8Array(buffer, at, n));
  }

  private texts(one: Field, length: number, missing: Uint8Array | undefined, into: TextSink | undefined, row: number): void {
    const [offsets, offsetBytes] = this.nextBuffer();
    const [data, dataBytes] = this.nextBuffer();
    if (into === undefined || length === 0) return;
    const step = one.type === Type.Utf8 ? 4 : 8;
    if (offsetBytes < step * (length + 1)) throw new ArrowError("The archive's answer is damaged.");
    const place = (k: number): number =>
      step === 4 ? this.view.getInt32(offsets + 4 * k, true) : Number(this.view.getBigInt64(offsets + 8 * k, true));
    let start = place(0);
    for (let k = 0; k < length; k++) {
      const end = place(k + 1);
      if (start < 0 || end < start || end > dataBytes) throw new ArrowError("The archive's answer is damaged.");
      if (!missing || missing[k]) into.put(row + k, UTF8.decode(new Uint8Array(this.view.buffer, data + start, end - start)));
      start = end;
    }
  }
}
