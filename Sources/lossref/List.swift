import LossDefinitions
import LossVerification

/// Prints the catalog.
enum List: Command {
  static let name = "list"
  static let abstract = "The catalog: hyperparameters, configurations, dialects"
  static let help = """
    usage: lossref list [--json] [LOSS ...]

    Lists the losses, assignments and training objectives by family, or those named: the chapter;
    the hyperparameters with their defaults and ranges, or the heads and terms; the configurations
    that are verified; the framework functions whose dialect is known.

      --json    one JSON array
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    let json = arguments.flag("--json")
    var names: [String] = []
    while let name = arguments.operand() { names.append(name) }
    try arguments.finish()
    for name in names where !LossSummary.all.contains(where: { $0.name == name }) {
      throw UsageError("no loss is named \(name)")
    }
    let chosen = LossSummary.all.filter { names.isEmpty || names.contains($0.name) }
    if json {
      print(JSON.list(chosen.map { $0.json }))
      return 0
    }
    for family in Family.allCases {
      let losses = chosen.filter { $0.family == family }
      if losses.isEmpty { continue }
      print("\(family.rawValue)\n")
      for loss in losses { print(loss.text + "\n") }
    }
    return 0
  }
}

extension LossSummary {
  fileprivate var text: String {
    var lines = ["  \(name)  (\(chapter))"]
    for parameter in hyperparameters {
      lines.append(
        "    \(parameter.name) = \(parameter.standard)"
          + "  in \(parameter.range.lowerBound) ... \(parameter.range.upperBound)")
    }
    lines += filled("heads:", heads, separator: ",")
    lines += filled("terms:", terms, separator: ",")
    lines += filled("configurations:", configurations, separator: ";")
    lines += filled("dialects:", dialects.map { "\($0.peer)/\($0.function)" }, separator: ",")
    return lines.joined(separator: "\n")
  }

  /// Words after a title, in lines of at most 80 columns.
  private func filled(_ title: String, _ words: [String], separator: String) -> [String] {
    var lines: [String] = []
    var line = "    " + title
    for (i, word) in words.enumerated() {
      let next = word + (i + 1 < words.count ? separator : "")
      if line.count + 1 + next.count > 80 {
        lines.append(line)
        line = "     "
      }
      line += " " + next
    }
    return words.isEmpty ? [] : lines + [line]
  }

  fileprivate var json: JSON {
    .object([
      "name": .text(name),
      "kind": .text(kind.rawValue),
      "heads": .list(heads.map { .text($0) }),
      "terms": .list(terms.map { .text($0) }),
      "family": .text(family.rawValue),
      "chapter": .text(chapter),
      "source": .text(source),
      "hyperparameters": .list(
        hyperparameters.map {
          .object([
            "name": .text($0.name),
            "default": .word($0.standard),
            "range": .list([.word($0.range.lowerBound), .word($0.range.upperBound)]),
          ])
        }),
      "configurations": .list(configurations.map { .text($0) }),
      "laws": .list(laws.map { .text($0) }),
      "dialects": .list(
        dialects.map { .object(["peer": .text($0.peer), "function": .text($0.function)]) }),
    ])
  }
}
