/// A JSON value, read strictly and written so that every Double reads back exactly.
///
/// Written here because the readers at hand either accept what is not JSON (a trailing comma) or
/// call a number that overflows or underflows a syntax error.
public enum JSON: Sendable, Equatable {
  case null
  case flag(Bool)
  /// A number beyond Double's range is an infinity, which no JSON number can otherwise be.
  case number(Double)
  case text(String)
  case list([JSON])
  case object([String: JSON])

  /// What is wrong with a text, and at which byte, counted from 1.
  public struct Malformed: Error, CustomStringConvertible {
    public let reason: String
    public let column: Int
    public var description: String { "\(reason) at column \(column)" }
  }

  /// Arrays and objects may be nested this deeply.
  public static let depthLimit = 64

  public init(_ text: String) throws(Malformed) {
    var text = text
    text.makeContiguousUTF8()
    var parser = Parser(bytes: Array(text.utf8))
    self = try parser.document()
  }

  public subscript(_ key: String) -> JSON? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// What kind of value this is, for messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .flag: "a boolean"
    case .number: "a number"
    case .text: "a string"
    case .list: "an array"
    case .object: "an object"
    }
  }
}

// MARK: - Writing

extension JSON: CustomStringConvertible {
  /// The number, or where it is not finite the word for it: "nan", "inf", "-inf".
  public static func word(_ value: Double) -> JSON {
    if value.isNaN {
      .text("nan")
    } else if value.isInfinite {
      .text(value < 0 ? "-inf" : "inf")
    } else {
      .number(value)
    }
  }

  /// One line; members in the order of their keys.
  public var description: String {
    var out = ""
    write(to: &out)
    return out
  }

  private func write(to out: inout String) {
    switch self {
    case .null: out += "null"
    case .flag(let value): out += value ? "true" : "false"
    case .number(let value): out += JSON.digits(value)
    case .text(let value): JSON.quote(value, to: &out)
    case .list(let values):
      out += "["
      for (i, value) in values.enumerated() {
        if i > 0 { out += "," }
        value.write(to: &out)
      }
      out += "]"
    case .object(let members):
      out += "{"
      for (i, key) in members.keys.sorted().enumerated() {
        if i > 0 { out += "," }
        JSON.quote(key, to: &out)
        out += ":"
        members[key]?.write(to: &out)
      }
      out += "}"
    }
  }

  /// The shortest digits that read back exactly; a whole number's without a fraction.
  private static func digits(_ value: Double) -> String {
    if let whole = Int(exactly: value), whole.magnitude < 1 << 53, value.sign == .plus || whole != 0
    {
      return whole.description
    }
    return value.description
  }

  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    defer { out += "\"" }
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
    {
      out += text
      return
    }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
  }
}

// MARK: - Reading

private struct Parser {
  let bytes: [UInt8]
  var at = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSON.Malformed) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard at == bytes.count else { throw malformed("something follows the value") }
    return value
  }

  private func malformed(_ reason: String) -> JSON.Malformed {
    JSON.Malformed(reason: reason, column: at + 1)
  }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { at += 1 }
  }

  private mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSON.Malformed) -> JSON {
    guard depth <= JSON.depthLimit else { throw malformed("nested too deeply") }
    skipSpace()
    switch next {
    case nil: throw malformed("the text ends where a value should be")
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try list(depth)
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "t"): return try word("true", .flag(true))
    case UInt8(ascii: "f"): return try word("false", .flag(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(JSON.Malformed) -> JSON {
    guard bytes[at...].starts(with: word.utf8) else { throw malformed("not a JSON value") }
    at += word.utf8.count
    return value
  }

  private mutating func object(_ depth: Int) throws(JSON.Malformed) -> JSON {
    at += 1
    var members: [String: JSON] = [:]
    skipSpace()
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw malformed("a key must be a string") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw malformed("a key must be followed by a colon") }
      guard members[key] == nil else { throw malformed("the key \"\(key)\" is there twice") }
      members[key] = try value(depth: depth + 1)
      skipSpace()
    } while take(",")
    guard take("}") else { throw malformed("an object must end in }") }
    return .object(members)
  }

  private mutating func list(_ depth: Int) throws(JSON.Malformed) -> JSON {
    at += 1
    var values: [JSON] = []
    skipSpace()
    if take("]") { return .list(values) }
    repeat {
      values.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw malformed("an array must end in ]") }
    return .list(values)
  }

  private mutating func number() throws(JSON.Malformed) -> Double {
    let start = at
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)) else {
      throw malformed("not a number")
    }
    return value
  }

  private mutating func digits() throws(JSON.Malformed) {
    let start = at
    while let byte = next, byte >= 0x30, byte <= 0x39 { at += 1 }
    guard at > start else { throw malformed("not a JSON value") }
  }

  private mutating func string() throws(JSON.Malformed) -> String {
    at += 1
    var text: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw malformed("a control character in a string") }
      at += 1
      if byte != UInt8(ascii: "\\") {
        text.append(byte)
      } else {
        text += try escaped()
      }
    }
    guard take("\"") else { throw malformed("a string must end in a quotation mark") }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func escaped() throws(JSON.Malformed) -> [UInt8] {
    guard let byte = next else { throw malformed("the text ends in a string") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if code >> 10 == 0x36 {
        guard take("\\"), take("u") else { throw malformed("half of a surrogate pair") }
        let low = try hexadecimal()
        guard low >> 10 == 0x37 else { throw malformed("half of a surrogate pair") }
        code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
      }
      guard let scalar = Unicode.Scalar(code) else { throw malformed("half of a surrogate pair") }
      return Array(String(Character(scalar)).utf8)
    default: throw malformed("an unknown escape in a string")
    }
  }

  private mutating func hexadecimal() throws(JSON.Malformed) -> UInt32 {
    guard at + 4 <= bytes.count,
      bytes[at..<at + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
    else { throw malformed("four hexadecimal digits must follow \\u") }
    at += 4
    return code
  }
}
