import { createContext } from "react";

// MaySave says whether the caller may download from the session that is shown; the server decides, this only leaves out what it would refuse.
export const MaySave = createContext(true);
