/// The words of a command line after the subcommand's name.
///
/// A command takes what it knows, each kind by its method, then calls `finish`, which refuses what is
/// left. Everything after `--` is kept apart: the program that a command is to run.
///
///     var arguments = arguments
///     let json = arguments.flag("--json")
///     let seed = try arguments.number("--seed") ?? 0
///     let losses = try arguments.options("--loss")
///     try arguments.finish()
struct Arguments {
  private var words: [String]
  /// The words after `--`.
  let program: [String]

  init(_ words: [String]) {
    let end = words.firstIndex(of: "--") ?? words.count
    self.words = Array(words[..<end])
    program = Array(words.dropFirst(end + 1))
  }

  /// Whether the word is there.
  mutating func flag(_ name: String) -> Bool {
    let count = words.count
    words.removeAll { $0 == name }
    return words.count < count
  }

  /// The values of every `--name VALUE` and `--name=VALUE`, in order.
  mutating func options(_ name: String) throws -> [String] {
    var values: [String] = []
    var rest: [String] = []
    var i = 0
    while i < words.count {
      if words[i] == name {
        guard i + 1 < words.count else { throw UsageError("\(name) needs a value") }
        values.append(words[i + 1])
        i += 1
      } else if words[i].hasPrefix(name + "=") {
        values.append(String(words[i].dropFirst(name.count + 1)))
      } else {
        rest.append(words[i])
      }
      i += 1
    }
    words = rest
    return values
  }

  /// The value of `--name`, which may be there once.
  mutating func option(_ name: String) throws -> String? {
    let values = try options(name)
    guard values.count < 2 else { throw UsageError("\(name) is there \(values.count) times") }
    return values.first
  }

  /// The value of `--name` as a number.
  mutating func number<N: LosslessStringConvertible>(
    _ name: String, as _: N.Type = N.self
  ) throws -> N? {
    guard let value = try option(name) else { return nil }
    guard let number = N(value) else { throw UsageError("\(name) needs a number, not \(value)") }
    return number
  }

  /// The value of `--name`, one of the choices.
  mutating func choice(_ name: String, of choices: [String]) throws -> String? {
    guard let value = try option(name) else { return nil }
    guard choices.contains(value) else {
      throw UsageError("\(name) is \(choices.joined(separator: " or ")), not \(value)")
    }
    return value
  }

  /// The next word that is no option.
  mutating func operand() -> String? {
    guard let i = words.firstIndex(where: { !$0.hasPrefix("-") }) else { return nil }
    return words.remove(at: i)
  }

  /// Refuses what no one has taken.
  func finish() throws {
    if let word = words.first { throw UsageError("unknown argument \(word)") }
  }
}

/// A command line that cannot be carried out; the process ends with status 2.
struct UsageError: Error {
  let message: String
  init(_ message: String) { self.message = message }
}
