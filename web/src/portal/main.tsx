import { start } from "../ui/app";
import { Portal } from "./portal";

start(<Portal />);
