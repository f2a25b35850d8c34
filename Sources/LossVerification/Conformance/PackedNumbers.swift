import LossDefinitions

/// Numbers as the hexadecimal digits of their bits, big-endian, without anything between them.
public enum PackedNumbers {
  private static let digits = Array("0123456789abcdef".utf8)

  public static func text(_ numbers: [Double], _ format: Format) -> String {
    let width = format.width / 4
    var bytes: [UInt8] = []
    bytes.reserveCapacity(numbers.count * width)
    for number in numbers {
      let bits = format.bits(of: number)
      for place in stride(from: 4 * (width - 1), through: 0, by: -4) {
        bytes.append(digits[Int(bits >> UInt64(place) & 15)])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Nil where the text is not made of whole numbers of the format.
  public static func numbers(_ text: String, _ format: Format) -> [Double]? {
    let width = format.width / 4
    var numbers: [Double] = []
    var bits: UInt64 = 0
    var seen = 0
    for byte in text.utf8 {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      bits = bits << 4 | UInt64(digit)
      seen += 1
      if seen == width {
        numbers.append(format.number(bits: bits))
        (bits, seen) = (0, 0)
      }
    }
    return seen == 0 ? numbers : nil
  }
}
