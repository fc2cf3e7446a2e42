/** By what GitHub knows whose calls these are. */
import { VERSION } from "../../wire/version.ts";

export const USER_AGENT = `journeyman/${VERSION}`;
