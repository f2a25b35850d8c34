/// Text inside XML and HTML.
enum Markup {
  /// The text with what is markup written as entities, and with what XML has no characters for written
  /// out: a control character's code in brackets.
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\n", "\t": out.unicodeScalars.append(scalar)
      case "\u{0}"..<" ", "\u{7f}"..."\u{9f}", "\u{fffe}", "\u{ffff}":
        out += "[\(String(scalar.value, radix: 16))]"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
