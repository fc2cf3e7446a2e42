/** By what GitHub knows whose calls these are. */
import { VERSION } from "../../contracts/version.ts";

export const USER_AGENT = `journeyman/${VERSION}`;
