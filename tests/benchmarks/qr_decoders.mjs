// The decoders that phones' web pages use, jsQR and ZXing-js: grey pictures in on standard input, readings out as JSON lines.
// A picture is its width and height (two 32-bit little-endian numbers) and one byte a pixel.
import library from "@zxing/library";
import jsqrModule from "jsqr";

const { BarcodeFormat, BinaryBitmap, DecodeHintType, HybridBinarizer, MultiFormatReader, RGBLuminanceSource } = library;
const jsQR = jsqrModule.default ?? jsqrModule;

console.warn = () => {}; // ZXing-js writes a trace for each picture that it cannot read

const reader = new MultiFormatReader();
reader.setHints(new Map([[DecodeHintType.POSSIBLE_FORMATS, [BarcodeFormat.QR_CODE]], [DecodeHintType.TRY_HARDER, true]]));

function zxing(grey, width, height) {
    try {
        return reader.decodeWithState(new BinaryBitmap(new HybridBinarizer(new RGBLuminanceSource(grey, width, height)))).getText();
    } catch {
        return null; // it throws where it finds none
    }
}

function jsqr(grey, width, height) {
    const rgba = new Uint8ClampedArray(grey.length * 4);
    for (let i = 0; i < grey.length; i++) rgba.set([grey[i], grey[i], grey[i], 255], i * 4);
    return jsQR(rgba, width, height, { inversionAttempts: "dontInvert" })?.data ?? null;
}

let kept = Buffer.alloc(0);
for await (const chunk of process.stdin) {
    kept = kept.length ? Buffer.concat([kept, chunk]) : chunk;
    while (kept.length >= 8) {
        const [width, height] = [kept.readUInt32LE(0), kept.readUInt32LE(4)];
        if (kept.length < 8 + width * height) break;
        const grey = new Uint8ClampedArray(kept.subarray(8, 8 + width * height));
        kept = kept.subarray(8 + width * height);
        process.stdout.write(JSON.stringify([jsqr(grey, width, height), zxing(grey, width, height)]) + "\n");
    }
}
