/** The first 32 bits of the fractional part of `root` of each prime, as FIPS 180-4 has them. */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
    const found: number[] = [];
    for (let candidate = 2; found.length < count; candidate += 1) {
        let isPrime = true;
        for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) isPrime = false;
        if (isPrime) found.push((root(candidate) % 1) * 2 ** 32);
    }
    return Uint32Array.from(found);
}

const start = fractions(8, Math.sqrt);
const rounds = fractions(64, Math.cbrt);
const turned = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/**
 * SHA-256 of a text's UTF-8, in hex. The browser's own answers later only, and on plain http not at all: a chat at home
 * may be without https.
 */
export function sha256(text: string): string {
    const bytes = new TextEncoder().encode(text);
    const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
    view.setUint32(padded.length - 4, bytes.length << 3);
    const state = start.slice();
    const words = new Uint32Array(64);
    const at = (array: Uint32Array, index: number): number => array[index] ?? 0;
    for (let block = 0; block < padded.length; block += 64) {
        for (let index = 0; index < 16; index += 1) words[index] = view.getUint32(block + index * 4);
        for (let index = 16; index < 64; index += 1) {
            const [far, near] = [at(words, index - 15), at(words, index - 2)];
            words[index] = at(words, index - 16) + (turned(far, 7) ^ turned(far, 18) ^ (far >>> 3)) + at(words, index - 7) + (turned(near, 17) ^ turned(near, 19) ^ (near >>> 10));
        }
        let [a, b, c, d, e, f, g, h] = [...state] as [number, number, number, number, number, number, number, number];
        for (let index = 0; index < 64; index += 1) {
            const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + at(rounds, index) + at(words, index)) | 0;
            const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
            [a, b, c, d, e, f, g, h] = [(one + two) | 0, a, b, c, (d + one) | 0, e, f, g];
        }
        [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] = at(state, index) + word));
    }
    return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
}
