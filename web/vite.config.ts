import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { standIn } from "./tools/dev-session.ts";

// HOLDFAST_SERVER is where "npm run dev" sends API calls; its self-made certificate is not checked there.
const server = process.env.HOLDFAST_SERVER ?? "https://127.0.0.1:4443";

export default defineConfig({
  plugins: [react(), standIn(server)],
  server: { proxy: Object.fromEntries(["/v8", "/holdfast/v1"].map((path) => [path, { target: server, secure: false, changeOrigin: true }])) },
  build: {
    outDir: "dist",
    assetsDir: "assets",
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: addresses are not allowed for scripts and styles
    manifest: "manifest.json",
    reportCompressedSize: false,
    rollupOptions: { input: { console: "console.html", portal: "portal.html" } },
  },
});
