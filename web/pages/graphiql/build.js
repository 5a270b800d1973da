// Builds GraphiQL and its workers into dist/, each file beside its gzip and its brotli, so that the gateway never
// compresses one.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

// GraphiQL's style sheet has its fonts in it, 340 kB compressed. The pages use fonts of the reader's machine, and the icons of
// the editor become a file that is loaded when one is shown.
const ICONS = "monaco-editor/esm/vs/base/browser/ui/codicons/codicon/codicon.ttf";
const withoutFonts = {
  name: "without fonts",
  setup(build) {
    build.onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/@font-face\s*{[^}]*}/g, (font) =>
        font.includes("codicon") ? font.replace(/url\([^)]*\)/, `url("${ICONS}")`) : "",
      ),
      loader: "css",
    }));
  },
};

const out = "dist";
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: {
    page: "src/built.js",
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
  },
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  target: "es2022",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "file" },
  external: ["/pages/*"],
  plugins: [withoutFonts],
  logLevel: "warning",
});
for (const name of readdirSync(out).filter((name) => /\.(js|css|ttf)$/.test(name))) {
  const plain = readFileSync(`${out}/${name}`);
  writeFileSync(`${out}/${name}.gz`, gzipSync(plain, { level: 9 }));
  writeFileSync(`${out}/${name}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}
