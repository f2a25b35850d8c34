import Foundation
import LossDefinitions

/// An example of a chapter: an item of a loss, with the value and the gradient to the digits printed.
///
///     loss: ciou
///     settings: epsilon = 1e-7
///     prediction: 0 0 100 45
///     target: 0 0 100 100
///     value: 0.592516
///     gradient: 0 -0.0011 0 -0.011591
///
/// `settings` (hyperparameters by name) or `configuration` (a label), and `gradient`, may be left out.
///
/// Of a training objective it is a worked scene, with the terms and, for each head, the sum of the
/// absolute values of its gradient:
///
///     objective: ssd
///     scene: worked
///     terms: 6.209330636188 13.069970981194
///     gradient: 9.1 14.2
struct ChapterExample {
  private static let keys = [
    "loss", "settings", "configuration", "prediction", "target", "value", "gradient", "objective",
    "scene", "terms",
  ]

  private struct Entry {
    let text: String
    let line: Int
  }

  private let file: String
  private let start: Int
  private var entries: [String: Entry] = [:]
  /// What is wrong with the lines themselves.
  private var malformed: [SpecificationFinding] = []

  /// - Parameter range: the example's lines in the document.
  init(_ document: ChapterDocument, _ range: Range<Int>) {
    file = document.file
    start = range.lowerBound
    for i in range where !document.lines[i].isEmpty {
      let parts = document.lines[i].split(separator: ":", maxSplits: 1)
      let key = parts.first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
      if parts.count != 2 || !Self.keys.contains(key) {
        malformed.append(
          SpecificationFinding(
            file, i + 1, "an example's line must be a key and a value",
            expected: Self.keys.joined(separator: ", "), given: "\"\(document.lines[i])\""))
      } else if entries[key] != nil {
        malformed.append(SpecificationFinding(file, i + 1, "\"\(key)\" is there twice"))
      } else {
        entries[key] = Entry(text: parts[1].trimmingCharacters(in: .whitespaces), line: i + 1)
      }
    }
  }

  /// The loss or objective that it is an example of.
  var loss: String? { (entries["loss"] ?? entries["objective"])?.text }

  func findings(_ losses: [LossSummary]) -> [SpecificationFinding] {
    guard malformed.isEmpty else { return malformed }
    do throws(SpecificationFinding) {
      if entries["objective"] != nil { return try objectiveFindings(losses) }
      let name = try entry("loss")
      guard let loss = losses.first(where: { $0.name == name.text }) else {
        throw SpecificationFinding(file, name.line, "no loss is named \"\(name.text)\"")
      }
      let item = Item(
        try numbers(entry("prediction")).map(\.value), try numbers(entry("target")).map(\.value))
      let result = try gradient(of: loss, at: item)
      let value = try entry("value")
      var findings = try compare([result.value], with: value, "the value")
      if let gradient = entries["gradient"] {
        findings += try compare(result.prediction, with: gradient, "the gradient")
      }
      return findings
    } catch {
      return [error]
    }
  }

  private func objectiveFindings(
    _ losses: [LossSummary]
  ) throws(SpecificationFinding) -> [SpecificationFinding] {
    let name = try entry("objective")
    guard let objective = losses.first(where: { $0.name == name.text && $0.kind == .objective })
    else { throw SpecificationFinding(file, name.line, "no objective is named \"\(name.text)\"") }
    let scene = try entry("scene")
    let result: (terms: [Double], gradients: [Tensor])
    do {
      result = try objective.worked(scene.text)
    } catch {
      throw SpecificationFinding(file, scene.line, "the example cannot be evaluated: \(error)")
    }
    var findings = try compare(result.terms, with: entry("terms"), "the terms")
    if let gradient = entries["gradient"] {
      let sums = result.gradients.map { $0.data.reduce(0) { $0 + $1.magnitude } }
      findings += try compare(sums, with: gradient, "the sums of the gradient")
    }
    return findings
  }

  private func gradient(
    of loss: LossSummary, at item: Item
  ) throws(SpecificationFinding) -> Gradient<Double> {
    do {
      return try loss.gradient(
        at: item, configuration: entries["configuration"]?.text, settings: settings())
    } catch let finding as SpecificationFinding {
      throw finding
    } catch {
      throw SpecificationFinding(file, start, "the example cannot be evaluated: \(error)")
    }
  }

  private func entry(_ key: String) throws(SpecificationFinding) -> Entry {
    guard let entry = entries[key] else {
      throw SpecificationFinding(file, start, "the example has no \"\(key)\"")
    }
    return entry
  }

  private func settings() throws(SpecificationFinding) -> [(String, Double)] {
    guard let entry = entries["settings"] else { return [] }
    var settings: [(String, Double)] = []
    for part in entry.text.split(separator: ",") {
      let words = part.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
      guard words.count == 2, let value = Printed(words[1]) else {
        throw SpecificationFinding(
          file, entry.line, "a setting must be NAME = NUMBER, not \"\(part)\"")
      }
      settings.append((words[0], value.value))
    }
    return settings
  }

  /// A number as it is printed: its value, and half a unit of its last digit.
  private struct Printed {
    let value: Double
    let allowance: Double

    init?(_ text: String) {
      guard let value = Double(text) else { return nil }
      self.value = value
      let parts = text.lowercased().split(separator: "e", maxSplits: 1)
      let fraction = parts[0].split(separator: ".", omittingEmptySubsequences: false)
      let places = fraction.count == 2 ? fraction[1].count : 0
      let exponent = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
      allowance = 0.5 * Foundation.pow(10, Double(exponent - places))
    }

    func covers(_ truth: Double) -> Bool {
      guard truth.isFinite, value.isFinite else {
        return truth == value || (truth.isNaN && value.isNaN)
      }
      // A printed tie may be rounded either way.
      return Swift.abs(truth - value) <= allowance * (1 + 1e-9)
    }
  }

  private func numbers(_ entry: Entry) throws(SpecificationFinding) -> [Printed] {
    var numbers: [Printed] = []
    for word in entry.text.split(separator: " ") {
      guard let number = Printed(String(word)) else {
        throw SpecificationFinding(file, entry.line, "\"\(word)\" is not a number")
      }
      numbers.append(number)
    }
    return numbers
  }

  private func compare(
    _ truth: [Double], with entry: Entry, _ what: String
  ) throws(SpecificationFinding) -> [SpecificationFinding] {
    let printed = try numbers(entry)
    let agrees = printed.count == truth.count && zip(printed, truth).allSatisfy { $0.covers($1) }
    if agrees { return [] }
    return [
      SpecificationFinding(
        file, entry.line, "\(what) of the example is wrong",
        expected: truth.map { "\($0)" }.joined(separator: " "), given: entry.text)
    ]
  }
}

extension ChapterDocument {
  var examples: [ChapterExample] { code("example").map { ChapterExample(self, $0) } }
}
