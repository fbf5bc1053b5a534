// Finds the methods that answer RPCs: those of classes decorated with @RpcController(…Service).
import ts from 'typescript';

export interface Handler {
  /** Name of the service in proto, for example `OrdersService`. */
  service: string;
  method: string;
  /** Whom the method lets in with @Allow; undefined where it does not say so, in literal words. */
  rules: string[] | undefined;
  /** The permission that the method names with @Privileged. */
  privilege?: string;
}

/** All handlers in a file. */
export function handlersIn(fileName: string, text: string): Handler[] {
  if (!text.includes('@RpcController')) return [];
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  return source.statements.filter(ts.isClassDeclaration).flatMap(handlersOf);
}

function handlersOf(declaration: ts.ClassDeclaration): Handler[] {
  const definition = decorator(declaration, 'RpcController')?.arguments[0]?.getText();
  if (!definition) return [];
  // ts-proto calls the definition of `OrdersService` `OrdersServiceService`.
  const service = definition.replace(/Service$/, '');
  const methods = declaration.members.filter(
    (member) => ts.isMethodDeclaration(member) || ts.isPropertyDeclaration(member),
  );
  return methods.map((method) => {
    const [privilege] = wordsOf(decorator(method, 'Privileged')) ?? [];
    const rules = wordsOf(decorator(method, 'Allow'));
    return { service, method: method.name.getText(), rules, ...(privilege && { privilege }) };
  });
}

function wordsOf(call: ts.CallExpression | undefined): string[] | undefined {
  const words = call?.arguments.filter(ts.isStringLiteral) ?? [];
  return words.length === call?.arguments.length ? words.map(({ text }) => text) : undefined;
}

function decorator(node: ts.HasDecorators, name: string): ts.CallExpression | undefined {
  const calls = (ts.getDecorators(node) ?? []).map(({ expression }) => expression).filter(ts.isCallExpression);
  return calls.find((call) => call.expression.getText() === name);
}
