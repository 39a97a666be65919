import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import type { Block } from "./blocks.ts";

interface Entry {
  /** `bespoke/nn`. */
  readonly name: string;
  /** `src/nn.ts`. */
  readonly source: string;
}

/** The entries of package.json. */
export function entriesOf(root: string): Entry[] {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, { types?: string }>;
  };
  return Object.entries(exports).flatMap(([path, { types }]) =>
    types === undefined
      ? []
      : [
          {
            name: path.replace(".", "bespoke"),
            source: types.replace("./dist/", "").replace(".d.ts", ".ts"),
          },
        ],
  );
}

/** Strict, as tsconfig.json; but a block for readers may leave a name unused, and names are imported for it whether type or not. */
function compilerOptions(root: string): ts.CompilerOptions {
  const file = join(root, "tsconfig.json");
  const { config } = ts.readConfigFile(file, (path) => readFileSync(path, "utf8")) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return { ...options, noUnusedLocals: false, noUnusedParameters: false, verbatimModuleSyntax: false };
}

/** The package as its entries have it. */
function packageProgram(root: string, options: ts.CompilerOptions): ts.Program {
  const sources = entriesOf(root).map(({ source }) => join(root, source));
  return ts.createProgram(sources, options);
}

/** The entry that exports each name, types too. */
export function exportedNames(
  root: string,
  program = packageProgram(root, compilerOptions(root)),
): Map<string, string> {
  const checker = program.getTypeChecker();
  const names = new Map<string, string>();
  for (const { name, source } of entriesOf(root)) {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(join(root, source))!)!;
    for (const each of checker.getExportsOfModule(symbol))
      if (!names.has(each.name)) names.set(each.name, name);
  }
  return names;
}

/** What a block is checked as: exported names are imported for a block without imports, and for what is given. */
function moduleOf({ code, given }: Block, names: ReadonlyMap<string, string>): string {
  const importsItself = /^import /m.test(code);
  const text = importsItself ? given : `${given}\n${code}`;
  const has = (before: string, name: string, within: string): boolean =>
    new RegExp(`${before}\\b${name}\\b`).test(within);
  const used = [...names].filter(
    ([name]) =>
      has("", name, text) &&
      !has("(?:const|function|let|class) ", name, `${given}\n${code}`) &&
      !(importsItself && has("import [^;]*", name, code)),
  );
  const imports = used.map(([name, entry]) => `import { ${name} } from "${entry}";`);
  // All on the first line: the lines of errors are those of the block.
  return `${imports.join(" ")} ${given.replaceAll("\n", " ")} export {};\n${code}`;
}

/** The compiler's complaints of each block, with the lines of the page. */
export function typeErrors(root: string, blocks: readonly Block[]): Map<Block, string[]> {
  const options = compilerOptions(root);
  const sources = packageProgram(root, options);
  const names = exportedNames(root, sources);
  const files = new Map(blocks.map((block, i) => [join(root, "docs", `block-${i}.ts`), block]));
  const texts = new Map([...files].map(([path, block]) => [path, moduleOf(block, names)]));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    readFile: (path) => texts.get(path) ?? disk.readFile(path),
    fileExists: (path) => texts.has(path) || disk.fileExists(path),
    getSourceFile: (path, target, ...rest) => {
      const text = texts.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, target, true);
      return sources.getSourceFile(path) ?? disk.getSourceFile(path, target, ...rest);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return new Map(
    [...files].map(([path, block]) => {
      const source = program.getSourceFile(path)!;
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      const begin = Number(block.name.split(":")[1]);
      const sentences = found.map(({ start = 0, messageText }) => {
        const { line } = source.getLineAndCharacterOfPosition(start);
        return `line ${begin + line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
      });
      return [block, sentences];
    }),
  );
}
