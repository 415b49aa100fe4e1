import { start } from "../ui/app";
import { Console } from "./router";

start(<Console />);
