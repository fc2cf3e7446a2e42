/**
 * The RSA key pair of the local GitHub, used for all its signatures and for the Apps of tests. Committed, since
 * generating one is slow; it gives access only to a GitHub on one's own machine.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

const PEM = `-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC0YAzBNy+A0Yb1
+MH5uvL7F2fEverJiVCYvOmIwjQIvx05Ex+KWA+fPPN/i3/8L0vrhGmv/k+wCmrI
RBK1yUsz92jW3nO9+OjtuIHT7yIgaWg5M+ysieIKFA8upKDWHHYN5uMfFiUuBX1x
KFu7zk2AWbr9jb8jvk29jizRzHowC0epDLeS383jKU1nI7xSg9+RD2WFKU2na/Lz
ODg8mXw5xUgE6ZuT3a3aiolJQuduCEApYjKJUWFXSnVWudzx6zEPki3upMwkzaOH
XJ+suIngYTMxEHF7WfCKCqVY6KSJlpZfi0HpTcM2ckEXyn+L6LGfxB+diahenLo+
DAQVYnIlAgMBAAECggEAEs9zdRDevNXc97jN7c+vuDy8HxnZKtRNmegViKQMDh90
Gjgi0WgWlPojwJjZK4D5L2H7LZXdVJP5h9IFi3ynAY/bGJFRS63yCJx1uZbWHcAw
VMrT8zhb4MYvwSL8/Ocx7og2Bk9maDK9XrghPOgqT+jLpdaK6NzXOZ3ikax7z5eo
bAQr6sW//VNGYjeim6+PzQuWEubqYbLGuP+5L9/2vyxBJIY+YFeZnYLGyFPgrVGc
ETwB7Zpr8hPHVJqh1/DciELm+Q6pUB+xjxuAa0NJbSW0ifwT0+23DhdJzIXG/emU
ewNVfWrKr5LjEMFLqlCp0tbuF3vb1hPW8bKUDsySzwKBgQDxqhOis3/ymJ8MKjW4
uFsZ+UGshMwenMRBibi+RyeqdShWZy+yh7QENGzJZoEEQZYwtblC6PAX7dJSta+T
f9UhfAeQ0Jj2iR0nidiIDfDNme9jPdha+QVuDMl19yuMXmsShXFjf4KQNKRjKtan
LldrpXYXCeEJEc7SumCQRFD7NwKBgQC/EzvVGqTXthG6ovF3dqTGGDquQG9Dzqlm
eBIdGWED78N037E5WiYuR7DtCUtt7QBYWVfyqAbh5klRRHdwSSzpH0IzVxtiSTo+
kXgMgRtGuAJjsTJdMLWsgSy82GZOUwpQO5I31R3E9p7aZjmOQK0BTNnAMb91hOO9
sTKppaHDgwKBgQCHpnM9KcrRLxBf8LWVCY7BpqNRpn05Vb/oFdlonWJLkVXiIiuo
5/mJPrAt4Obcr8AReYATadOTawBbQvbaMbA+CnPout6RzGdcEUlFHaYkkprINyfh
8NQ2cOEI4YRFV558mAEM2787GQGJVLuGvkF+ADOoPPhfceqJaOrZMC/QwwKBgQCF
IcKbnf/jKMG7l9LE2Q6/05v3U3/y7+iKM/jy+37kPkeihEW4Xz6hGmSFE+fRhMOr
yzyDH14EQe8tx5Wsz9+R4qy+lt/GoJ0LgVHy7HXz1Twc+BbOZaT/t9VTEzhdNHDI
LGmZq00dsnRGWdmaayff8wr5ZfAv0tLXlcJl/7jxPwKBgHxG3/p1gJ5rnA8PSpdj
rgMy0QHZ1GgfXHLA1KpY07CaIBwonAf/EvZMnfIft6+Y4b9nW9LA9La7Cks/O2+2
bAP7ClytJRRyzFL18Zpe1MPxCNfcCNYOxcdIAEV3jlhXScua1E2XjCAReJwhKGr2
49MJt5tyaE29YCrlbs8JN3yG
-----END PRIVATE KEY-----
`;

const privateKey = createPrivateKey(PEM);

export const keyPair = (): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } => ({
  publicKey: createPublicKey(PEM),
  privateKey,
});

export const privateKeyPem = (): string => PEM;
