import { start } from "../ui/app";
import { words } from "../ui/text/console";
import { Console } from "./router";

start(<Console />, words);
