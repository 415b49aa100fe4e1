// Whoever leaves the wizard is not led into it again while this browser window lives.
const name = "holdfast.setup-left";

export function setupLeft(): boolean {
  try {
    return sessionStorage.getItem(name) !== null;
  } catch {
    return true;
  }
}

export function leaveSetup() {
  try {
    sessionStorage.setItem(name, "1");
  } catch {
    // then the wizard offers itself again, which harms nobody
  }
}
