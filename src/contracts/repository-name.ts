/** GitHub's rules for names of people and repositories. Logins of managed users end in `_short`. */

export const LOGIN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$/;

/** `owner/name`. A name of dots alone is excluded: in a URL it would be a relative path. */
export const REPOSITORY_NAME =
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}|\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,98}|\.\.[A-Za-z0-9._-]{1,98})$/;
