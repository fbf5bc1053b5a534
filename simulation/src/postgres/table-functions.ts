/** Functions that stand in a FROM and give rows. */
import type { Evaluate, Frame, Rows, Source } from './expressions.ts';
import { tableOf, type Schema } from './schema.ts';
import type { StatementRun } from './statement-run.ts';
import type { Row } from './storage.ts';
import type { FromItem } from './syntax.ts';
import { castTo } from './values.ts';

type Call = Extract<FromItem['source'], { kind: 'call' }>;

interface Shape {
  readonly schema: Schema;
  readonly alias: string;
  /** Names that the columns are given. */
  readonly columns: readonly string[];
  readonly types?: readonly string[];
}

export function tableFunction(call: Call, args: readonly Evaluate[], shape: Shape): { source: Source; rows: Rows } {
  const { columns, rows } = shapeOf(call, args, shape);
  const ordinal = call.ordinality ? (shape.columns[columns.length] ?? 'ordinality') : undefined;
  const numbered: Rows = (run, frame) =>
    rows(run, frame ?? { rows: [] }).map((row, index) => (ordinal ? { ...row, [ordinal]: BigInt(index + 1) } : row));
  return { source: { alias: shape.alias, columns: ordinal ? [...columns, ordinal] : columns }, rows: numbered };
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: (run: StatementRun, frame: Frame) => Row[];
}

function shapeOf({ name, args: given }: Call, args: readonly Evaluate[], shape: Shape): Table {
  const [first] = args;
  if (!first) throw new Error(`${name} needs an argument.`);
  switch (name) {
    case 'unnest':
      return unnest(args, shape);
    case 'jsonb_array_elements':
    case 'json_array_elements':
      return oneColumn(shape, (run, frame) => first(run, frame) as unknown[]);
    case 'jsonb_array_elements_text':
      return oneColumn(shape, (run, frame) => (first(run, frame) as unknown[]).map(String));
    case 'generate_series':
      return oneColumn(shape, (run, frame) => series(...args.map((arg) => Number(arg(run, frame)))));
    case 'json_populate_recordset':
    case 'jsonb_populate_recordset':
      return recordset(args[1], tableColumns(shape.schema, given[0]));
    case 'json_to_recordset':
    case 'jsonb_to_recordset':
      return recordset(
        first,
        shape.columns.map((column, index) => [column, shape.types?.[index] ?? 'text'] as const),
      );
    default:
      throw new Error(`The simulated Postgres knows no function ${name} that gives rows.`);
  }
}

function unnest(args: readonly Evaluate[], shape: Shape): Table {
  const columns = args.map((_, index) => shape.columns[index] ?? (args.length === 1 ? shape.alias : `unnest${index}`));
  const rows = (run: StatementRun, frame: Frame) => {
    const lists = args.map((arg) => (arg(run, frame) as unknown[] | null) ?? []);
    const length = Math.max(0, ...lists.map((list) => list.length));
    return Array.from({ length }, (_, position) =>
      Object.fromEntries(columns.map((column, index) => [column, lists[index]?.[position] ?? null])),
    );
  };
  return { columns, rows };
}

/** A function's only column goes by the name that the function was given. */
function oneColumn(shape: Shape, values: (run: StatementRun, frame: Frame) => unknown[]): Table {
  const column = shape.columns[0] ?? shape.alias;
  return { columns: [column], rows: (run, frame) => values(run, frame).map((value) => ({ [column]: value })) };
}

function series(from = 0, to = 0): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** `json_populate_recordset(NULL::orders, …)`: rows like those of a table. */
function tableColumns(schema: Schema, like: Call['args'][number] | undefined): (readonly [string, string])[] {
  if (like?.kind !== 'cast') throw new Error('The simulated Postgres wants NULL::table.');
  return tableOf(schema, like.type).columns.map(({ name, type }) => [name, type] as const);
}

function recordset(documents: Evaluate | undefined, columns: readonly (readonly [string, string])[]): Table {
  const members = columns.map(([name, type]) => ({ name, cast: memberOf(type) }));
  const rows = (run: StatementRun, frame: Frame) => {
    const parsed = toDocuments(documents?.(run, frame)) as Record<string, unknown>[] | null;
    return (parsed ?? []).map((document) => {
      const row: Record<string, unknown> = {};
      for (const { name, cast } of members) row[name] = cast(document[name]);
      return row;
    });
  };
  return { columns: columns.map(([name]) => name), rows };
}

const toDocuments = castTo('jsonb');

/** A text that stands in a document is no document of its own. */
function memberOf(type: string): (value: unknown) => unknown {
  return type === 'jsonb' || type === 'json' ? (value) => value ?? null : castTo(type);
}
