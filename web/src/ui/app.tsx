import {
  createDOMRenderer,
  FluentProvider,
  RendererProvider,
  teamsHighContrastTheme,
  webDarkTheme,
  webLightTheme,
  type Theme,
} from "@fluentui/react-components";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "../api/client";
import "./base.css";
import { media } from "./media";
import { keep, storedLanguage, storedTheme, type Language, type ThemeName } from "./settings";
import { TextContext, type Text, type Words } from "./text";
import { ThemeContext } from "./theme";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
const renderer = createDOMRenderer(document, { styleElementAttributes: { nonce } });

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What was refused stays refused; what did not arrive is asked for again.
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status === 503),
      refetchOnWindowFocus: true,
    },
  },
});

const dark = media("(prefers-color-scheme: dark)");
const contrast = media("(prefers-contrast: more), (forced-colors: active)");

function App({ words, children }: { words: Words; children: ReactNode }) {
  const [themeName, setThemeName] = useState(storedTheme);
  const [language, setLanguage] = useState(storedLanguage);
  const [text, setText] = useState<Text>(words.en);
  const systemDark = useSyncExternalStore(dark.subscribe, dark.get);
  const systemContrast = useSyncExternalStore(contrast.subscribe, contrast.get);

  useEffect(() => {
    let current = true;
    document.documentElement.lang = language;
    const loaded = language === "de" ? words.de() : Promise.resolve(words.en);
    loaded.then(
      (text) => current && setText(text),
      () => current && setText(words.en), // a language that does not arrive is no reason to show nothing
    );
    return () => {
      current = false;
    };
  }, [words, language]);

  const shown: Exclude<ThemeName, "system"> = themeName !== "system" ? themeName : systemContrast ? "contrast" : systemDark ? "dark" : "light";
  useEffect(() => {
    document.documentElement.style.colorScheme = shown === "light" ? "light" : "dark";
    document.documentElement.dataset.theme = shown;
  }, [shown]);
  const theme: Theme = shown === "contrast" ? teamsHighContrastTheme : shown === "dark" ? webDarkTheme : webLightTheme;

  const themes = useMemo(
    () => ({
      name: themeName,
      shown,
      set: (name: ThemeName) => {
        keep("theme", name);
        setThemeName(name);
      },
      language,
      setLanguage: (name: Language) => {
        keep("language", name);
        setLanguage(name);
      },
    }),
    [themeName, shown, language],
  );
  return (
    <RendererProvider renderer={renderer}>
      <ThemeContext value={themes}>
        <TextContext value={{ t: text, language }}>
          <FluentProvider theme={theme}>
            <QueryClientProvider client={queries}>{children}</QueryClientProvider>
          </FluentProvider>
        </TextContext>
      </ThemeContext>
    </RendererProvider>
  );
}

export function start(page: ReactNode, words: Words) {
  const root = document.getElementById("root");
  if (!root) throw new Error("the page has no root");
  createRoot(root).render(
    <StrictMode>
      <App words={words}>{page}</App>
    </StrictMode>,
  );
}
