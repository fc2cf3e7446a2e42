/** How GitHub names people and repositories. Logins of companies that manage their people's accounts end in `_short`. */

export const LOGIN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$/;

/** `owner/name`. Dots alone are no name: in an address they would mean another place. */
export const REPOSITORY_NAME =
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}|\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,98}|\.\.[A-Za-z0-9._-]{1,98})$/;
