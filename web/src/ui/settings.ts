// Choices of a person, and what he has seen, stay in this browser.

export type ThemeName = "system" | "light" | "dark" | "contrast";
export type Language = "en" | "de";

export function read(name: string): string | null {
  try {
    return localStorage.getItem(`holdfast.${name}`);
  } catch {
    return null; // a browser that keeps nothing still works
  }
}

export function keep(name: string, value: string) {
  try {
    localStorage.setItem(`holdfast.${name}`, value);
  } catch {
    // see read
  }
}

export function storedTheme(): ThemeName {
  const name = read("theme");
  return name === "light" || name === "dark" || name === "contrast" ? name : "system";
}

export function storedLanguage(): Language {
  const name = read("language") ?? navigator.language.slice(0, 2);
  return name === "de" ? "de" : "en";
}
