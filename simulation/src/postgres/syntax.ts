/** The part of SQL that the services use, as a tree. */

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'interval'; readonly text: string }
  | { readonly kind: 'param'; readonly index: number }
  | { readonly kind: 'column'; readonly table?: string; readonly name: string }
  | { readonly kind: 'not' | 'negative'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'isNull'; readonly operand: Expression }
  | { readonly kind: 'in'; readonly operand: Expression; readonly list: readonly Expression[] | Query }
  | { readonly kind: 'any'; readonly operator: string; readonly left: Expression; readonly array: Expression | Query }
  | {
      readonly kind: 'case';
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise?: Expression;
    }
  | { readonly kind: 'cast'; readonly operand: Expression; readonly type: string }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly distinct?: boolean;
      readonly orderBy?: readonly OrderItem[];
      readonly filter?: Expression;
    }
  | { readonly kind: 'extract'; readonly field: string; readonly operand: Expression }
  | { readonly kind: 'exists' | 'scalar' | 'arrayOf'; readonly query: Query }
  | { readonly kind: 'array' | 'row'; readonly items: readonly Expression[] };

export type SelectItem =
  | { readonly star: true; readonly table?: string }
  | { readonly star?: false; readonly expression: Expression; readonly alias?: string };

export interface FromItem {
  readonly source:
    | { readonly kind: 'table'; readonly name: string }
    | { readonly kind: 'query'; readonly query: Query }
    | {
        readonly kind: 'call';
        readonly name: string;
        readonly args: readonly Expression[];
        readonly ordinality: boolean;
      };
  readonly alias?: string;
  /** New names of its columns. */
  readonly columns: readonly string[];
  /** Types of the columns, where they are given with the names. */
  readonly types?: readonly string[];
  /** How it is joined to those before it. */
  readonly join: 'inner' | 'left';
  readonly on?: Expression;
  /** Columns that are the same on both sides. */
  readonly using?: readonly string[];
}

export interface OrderItem {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface Lock {
  readonly isShared: boolean;
  readonly whenTaken: 'wait' | 'skip' | 'fail';
}

export interface With {
  readonly name: string;
  readonly statement: Statement;
}

export interface Select {
  readonly kind: 'select';
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly from: readonly FromItem[];
  readonly where?: Expression;
  readonly groupBy: readonly Expression[];
  readonly having?: Expression;
}

export interface Values {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
}

/** Parts that are united, and what is then done with all of them. */
export interface Query {
  readonly kind: 'query';
  readonly with: readonly With[];
  readonly parts: readonly { readonly body: Select | Values; readonly all: boolean }[];
  readonly orderBy: readonly OrderItem[];
  readonly limit?: Expression;
  readonly offset?: Expression;
  readonly lock?: Lock;
}

export interface Assignment {
  readonly column: string;
  readonly value: Expression;
}

export interface OnConflict {
  /** Which conflict is meant, by the constraint's name or its columns; any where both are missing. */
  readonly constraint?: string;
  readonly columns?: readonly string[];
  /** Undefined for DO NOTHING. */
  readonly set?: readonly Assignment[];
  readonly where?: Expression;
}

export interface Insert {
  readonly kind: 'insert';
  readonly with: readonly With[];
  readonly table: string;
  readonly alias?: string;
  readonly columns?: readonly string[];
  /** Undefined for DEFAULT VALUES. */
  readonly source?: Query;
  readonly onConflict?: OnConflict;
  readonly returning: readonly SelectItem[];
}

export interface Update {
  readonly kind: 'update';
  readonly with: readonly With[];
  readonly table: string;
  readonly alias?: string;
  readonly set: readonly Assignment[];
  readonly from: readonly FromItem[];
  readonly where?: Expression;
  readonly returning: readonly SelectItem[];
}

export interface Delete {
  readonly kind: 'delete';
  readonly with: readonly With[];
  readonly table: string;
  readonly alias?: string;
  readonly from: readonly FromItem[];
  readonly where?: Expression;
  readonly returning: readonly SelectItem[];
}

export type Statement = Query | Insert | Update | Delete;
