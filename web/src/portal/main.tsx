import { start } from "../ui/app";
import { words } from "../ui/text/portal";
import { Portal } from "./portal";

start(<Portal />, words);
