import * as english from "./english";

/** Every sentence that this front end shows, in the language of the page. */
export const words = english;
