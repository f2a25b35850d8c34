import LossDefinitions

/// The vectors of one loss: inputs, and between what every number of an answer has to lie.
public struct VectorFile: Sendable, Equatable {
  public static let format = 1
  public static let generator = "lossref vectors"
  /// Rises when the same seed makes other cases.
  public static let version = 1

  public var loss: String
  public var seed: UInt64
  /// The numbers of a prediction; nil where rows are of any width.
  public var width: Int?
  public var targetWidth: Int?
  public var targetIsIndex: Bool
  /// What each stratum hunts.
  public var strata: [String: String]
  /// One a number format.
  public var sections: [VectorSection]

  var cases: [VectorCase] { sections.flatMap(\.cases) }
}

/// The vectors of one loss in one number format.
public struct VectorSection: Sendable, Equatable {
  public var format: Format
  /// The hyperparameters, rounded to the format.
  public var parameters: [String: Double]
  public var cases: [VectorCase]
  /// Cases, by id, that are to be asked together and in this order.
  public var batches: [[String]]
  public var reductions: [VectorReduction]
}

/// One item, and the bands of its value and of its gradient in the prediction.
public struct VectorCase: Sendable, Equatable {
  /// Loss, stratum, and the first digits of the digest of the input.
  public var id: String
  /// Rises with every change of the bands.
  public var revision: Int
  public var stratum: String
  /// Which draw of the stratum's generator it is.
  public var draw: Int
  public var flags: [String]
  public var item: Item
  /// Nil where the band is open: the case does not judge this number.
  public var value: VectorBand?
  public var gradient: [VectorBand?]

  var bands: [VectorBand?] { [value] + gradient }
}

/// Between what a number has to lie.
public struct VectorBand: Sendable, Equatable {
  public var truth: Double
  public var tight: ClosedRange<Double>
  public var accurate: ClosedRange<Double>
}

/// What becomes of cases that are summed or averaged, and of their gradients under the mean.
public struct VectorReduction: Sendable, Equatable {
  public var cases: [String]
  public var sum: VectorBand
  public var mean: VectorBand
  public var gradient: [[VectorBand]]
}

// MARK: - Writing

extension VectorFile {
  /// The file's text: a line a case, everything in a fixed order.
  public var text: String {
    let head: [(String, JSON)] = [
      ("format", .number(Double(Self.format))), ("loss", .text(loss)),
      (
        "generator",
        .object([
          "name": .text(Self.generator), "version": .number(Double(Self.version)),
          "seed": .number(Double(seed)),
        ])
      ),
      (
        "shapes",
        .object([
          "prediction": width.map { .number(Double($0)) } ?? .text("row"),
          "target": targetIsIndex
            ? .text("index") : targetWidth.map { .number(Double($0)) } ?? .text("row"),
        ])
      ),
      ("strata", .object(strata.mapValues { .text($0) })),
    ]
    let lines = head.map { "\(JSON.text($0.0)):\($0.1),\n" }.joined()
    return "{" + lines + "\"sections\":[\n"
      + sections.map { $0.text(targetIsIndex) }.joined(separator: ",\n") + "\n]}\n"
  }
}

extension VectorSection {
  fileprivate func text(_ targetIsIndex: Bool) -> String {
    func lines(_ name: String, _ values: [JSON]) -> String {
      "\"\(name)\":[\n" + values.map(\.description).joined(separator: ",\n") + "\n]"
    }
    let parameters = JSON.object(
      parameters.mapValues {
        .object([
          "bits": .text(PackedNumbers.text([$0], format)), "decimal": .word($0),
        ])
      })
    return "{\"dtype\":\"\(format.rawValue)\",\n\"parameters\":\(parameters),\n"
      + [
        lines("cases", cases.map { $0.json(format, targetIsIndex) }),
        lines("batches", batches.map { .list($0.map { .text($0) }) }),
        lines("reductions", reductions.map(\.json)),
      ].joined(separator: ",\n") + "}"
  }
}

extension VectorCase {
  func json(_ format: Format, _ targetIsIndex: Bool) -> JSON {
    .object([
      "id": .text(id), "rev": .number(Double(revision)), "stratum": .text(stratum),
      "draw": .number(Double(draw)), "flags": .list(flags.map { .text($0) }),
      "prediction": .text(PackedNumbers.text(item.prediction, format)),
      "target": targetIsIndex
        ? .number(item.target.first ?? 0) : .text(PackedNumbers.text(item.target, format)),
      "value": value?.json ?? .null,
      "gradient": .list(gradient.map { $0?.json ?? .null }),
    ])
  }
}

extension VectorBand {
  /// Five ascending numbers.
  fileprivate var json: JSON {
    .text(
      PackedNumbers.text(
        [
          accurate.lowerBound, tight.lowerBound, truth, tight.upperBound, accurate.upperBound,
        ], .f64))
  }
}

extension VectorReduction {
  fileprivate var json: JSON {
    .object([
      "cases": .list(cases.map { .text($0) }), "sum": sum.json, "mean": mean.json,
      "gradient": .list(gradient.map { .list($0.map(\.json)) }),
    ])
  }
}
