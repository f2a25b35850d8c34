/// Failures that are expected, each for a stated reason.
///
/// A line is a pattern, whitespace, `#` and the reason:
///
///     giou/native/f32/far: the gradient is outside its band  # https://bugs.example/17
///     */f16/*: *                                             # half precision is not supported
///     giou/native/f32/3f800000...:40000000...                # a case of its own
///
/// The pattern is held against a failure's name, `LOSS/DIALECT/DTYPE/STRATUM: WHAT`, which is what a
/// finding begins with; `*` stands for any text, `?` for one character. A name that ends in an item, as a
/// report's replay line has it, asks for that item besides. Empty lines and those that begin with `#` say
/// nothing.
public struct KnownFailures: Sendable {
  public struct Entry: Sendable, Equatable {
    public let pattern: String
    public let reason: String
    /// The line of the file, from 1.
    public let line: Int
    /// "LOSS/DIALECT/DTYPE/STRATUM", or with an item in the stratum's place.
    let place: String
    /// Nil where the place is an item.
    let what: String?
  }

  /// A line that cannot be read.
  public struct Malformed: Error, CustomStringConvertible {
    public let line: Int
    public let reason: String
    public var description: String { "line \(line): \(reason)" }
  }

  public private(set) var entries: [Entry] = []

  public init() {}

  public init(_ text: String) throws(Malformed) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (i, line) in lines.enumerated() {
      let words = line.trimmed
      guard !words.isEmpty, !words.hasPrefix("#") else { continue }
      let parts = Self.parts(words)
      guard let reason = parts.reason else {
        throw Malformed(line: i + 1, reason: "no reason; PATTERN  # REASON is expected")
      }
      entries.append(try Self.entry(parts.pattern, reason, i + 1))
    }
  }

  /// The words before and after a `#` with whitespace before it.
  private static func parts(_ line: Substring) -> (pattern: Substring, reason: Substring?) {
    for i in line.indices.dropFirst()
    where line[i] == "#" && line[line.index(before: i)].isWhitespace {
      let reason = line[line.index(after: i)...].trimmed
      return (line[..<i].trimmed, reason.isEmpty ? nil : reason)
    }
    return (line, nil)
  }

  private static func entry(
    _ pattern: Substring, _ reason: Substring, _ line: Int
  ) throws(Malformed) -> Entry {
    let names = "LOSS/DIALECT/DTYPE/STRATUM: WHAT or LOSS/DIALECT/DTYPE/ITEM"
    var place = pattern
    var what: String?
    if let end = pattern.ranges(of: ": ").first {
      place = pattern[..<end.lowerBound]
      what = String(pattern[end.upperBound...].trimmed)
    } else if !Self.isItem(pattern) {
      throw Malformed(line: line, reason: "\"\(pattern)\" is not \(names)")
    }
    let isWhole = place.contains("*") || place.split(separator: "/").count >= 4
    guard isWhole, what?.isEmpty != true else {
      throw Malformed(line: line, reason: "\"\(pattern)\" is not \(names)")
    }
    return Entry(
      pattern: String(pattern), reason: String(reason), line: line, place: String(place), what: what
    )
  }

  /// Whether a pattern ends in an item: digits, a colon, digits.
  private static func isItem(_ pattern: Substring) -> Bool {
    let parts = (pattern.split(separator: "/").last ?? "").split(separator: ":")
    return parts.count == 2 && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
      && !pattern.contains("*") && !pattern.contains("?")
  }

  // MARK: Matching

  /// The entries that a failure is expected by.
  func matches(_ place: Place, _ what: String) -> [Int] {
    entries.indices.filter { k in
      guard let expected = entries[k].what else { return entries[k].place == place.item }
      return Self.matches(entries[k].place, place.stratum) && Self.matches(expected, what)
    }
  }

  /// Where a failure was seen, as patterns name it.
  struct Place {
    let stratum: String
    let item: String
  }

  /// The items that are named for a selection, and the line of each.
  func items(of selection: Selection) -> [(text: String, line: Int)] {
    entries.filter { $0.what == nil && $0.place.hasPrefix(selection.place + "/") }
      .map { (String($0.place.dropFirst(selection.place.count + 1)), $0.line) }
  }

  /// The stratum that the items make up.
  static let stratum = "known"

  /// The entries that matched nothing although what they name was asked.
  public func passing(_ reports: [ConformanceReport]) -> [Entry] {
    let used = reports.reduce(into: Set<Int>()) { $0.formUnion($1.usedKnown) }
    return entries.indices.filter { k in
      guard !used.contains(k) else { return false }
      return reports.contains { report in
        guard entries[k].what != nil else {
          return entries[k].place.hasPrefix(report.selection.place + "/")
            && report.strata.contains { $0.name == Self.stratum }
        }
        return report.strata.contains {
          Self.matches(entries[k].place, "\(report.selection.place)/\($0.name)")
        }
      }
    }.map { entries[$0] }
  }

  /// Whether a text is as a pattern has it: `*` is any text, `?` a character.
  static func matches(_ pattern: String, _ text: String) -> Bool {
    let (pattern, text) = (Array(pattern.unicodeScalars), Array(text.unicodeScalars))
    var (p, t) = (0, 0)
    // Where the last star is, and where the text that it stands for ends.
    var star: (p: Int, t: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == "*" {
        star = (p, t)
        p += 1
      } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let last = star {
        star = (last.p, last.t + 1)
        (p, t) = (last.p + 1, last.t + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}

extension Selection {
  /// "giou/native/f32".
  public var place: String { "\(loss)/\(dialect)/\(format.rawValue)" }
}

extension StringProtocol {
  fileprivate var trimmed: SubSequence {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
    while rest.last?.isWhitespace == true { rest = rest.dropLast() }
    return rest
  }
}
