import LossDefinitions

/// What was found of one loss of an implementation.
public struct ConformanceReport: Sendable {
  public enum Verdict: String, Sendable {
    case conforms
    case doesNotConform = "does not conform"
    /// The implementation crashed, hung or reported errors.
    case failed
    /// Nothing was outside its band, but too many bands said nothing.
    case inconclusive
    case unsupported
  }

  /// One stratum's items, by the placement of their answers.
  public struct Stratum: Sendable {
    public let name: String
    public var items = 0
    public var tight = 0
    public var accurate = 0
    public var open = 0
    public var outside = 0
    public var rejected = 0
    public var failed = 0
    public var kinks = 0
    /// Answers with a NaN in them, and losses below 0 whose truth is not.
    public var nan = 0
    public var negative = 0
    /// The largest distances of what was judged, in half-widths of its band.
    public var worstValue = 0.0
    public var worstGradient = 0.0
    /// The largest in ulps.
    public var worstValueUlps = 0.0
    public var worstGradientUlps = 0.0
    /// How far the numbers are from the truth, of all that is not open.
    public var value = Distances()
    public var gradient = Distances()

    /// Items that are wrong in some way.
    public var wrong: Int { outside + rejected + failed }
    /// Whether so many bands say nothing that the stratum is named.
    var isOpen: Bool { Double(open) > Conformance.openLimit * Double(items) }
  }

  /// One way in which answers are wrong, at the simplest item that shows it.
  public struct Finding: Sendable {
    /// "the value is outside its band".
    public let what: String
    /// The strata that show it, and the items of each that do.
    public internal(set) var strata: [(name: String, items: Int)]
    /// The simplest item that was asked for, or that the implementation could be brought to show it on.
    public var item: Item
    /// "value" or "gradient 2".
    public var quantity: String
    /// Nil where there is no number: a rejection or an error.
    public var reading: Reading?
    public var detail: String
    /// The dialects that would have given it.
    public var dialects: [String]
    /// The entry by which it is expected.
    public let known: KnownFailures.Entry?
    public let format: Format
    public let targetIsIndex: Bool
    var answer: CaseAnswer

    /// Items that show it.
    public var count: Int { strata.reduce(0) { $0 + $1.items } }
    /// Whether there was no answer at all.
    var isFailure: Bool { if case .failed = answer { true } else { false } }
    /// The stratum that showed it first.
    public var stratum: String { strata.first?.name ?? "" }

    /// Bits that it takes to write the item's numbers.
    public var complexity: Int { Shrinking.complexity(item) }

    /// The item as `lossref verify --case` reads it.
    public var caseText: String { ConformanceReport.caseText(item, format, targetIsIndex) }
  }

  static func caseText(_ item: Item, _ format: Format, _ targetIsIndex: Bool) -> String {
    let target =
      targetIsIndex
      ? item.target.map { "\(Int($0))" }.joined(separator: ",")
      : PackedNumbers.text(item.target, format)
    return "\(PackedNumbers.text(item.prediction, format)):\(target)"
  }

  public let selection: Selection
  public let greeting: Greeting
  public internal(set) var verdict = Verdict.conforms
  /// Why the verdict is that, where no finding says it.
  public internal(set) var reason = ""
  public internal(set) var probes: [Probe] = []
  public internal(set) var strata: [Stratum] = []
  public internal(set) var findings: [Finding] = []
  public let seed: UInt64
  public let isStrict: Bool
  /// Whether the answers were recorded, so that nothing simpler could be asked for.
  public let isRecorded: Bool
  /// The known failures that were seen.
  var usedKnown: Set<Int> = []

  /// The findings that no one expected.
  public var unexpected: [Finding] { findings.filter { $0.known == nil } }
  public var items: Int { strata.reduce(0) { $0 + $1.items } }
}

extension ConformanceReport {
  public var json: JSON {
    .object([
      "loss": .text(selection.loss), "dialect": .text(selection.dialect),
      "dtype": .text(selection.format.rawValue),
      "parameters": .object(selection.parameters.mapValues { .word($0) }),
      "program": .object([
        "name": .text(greeting.name), "version": .text(greeting.version),
        "language": .text(greeting.language),
      ]),
      "verdict": .text(verdict.rawValue), "reason": .text(reason), "seed": .text("\(seed)"),
      "strict": .flag(isStrict), "recorded": .flag(isRecorded),
      "probes": .list(
        probes.map {
          .object([
            "name": .text($0.name), "outcome": .text($0.outcome.rawValue),
            "detail": .text($0.detail),
          ])
        }),
      "strata": .list(strata.map(\.json)), "findings": .list(findings.map(\.json)),
    ])
  }
}

extension ConformanceReport.Stratum {
  fileprivate var json: JSON {
    let counts = [
      "items": items, "tight": tight, "accurate": accurate, "open": open, "outside": outside,
      "rejected": rejected, "failed": failed, "kinks": kinks, "nan": nan, "negative": negative,
    ].mapValues { JSON.number(Double($0)) }
    let worst = [
      "worstValue": worstValue, "worstGradient": worstGradient,
      "worstValueUlps": worstValueUlps, "worstGradientUlps": worstGradientUlps,
    ].mapValues { JSON.word($0) }
    let distances = ["valueDistances": value.json, "gradientDistances": gradient.json]
    return .object(
      ["name": .text(name)].merging(counts) { $1 }.merging(worst) { $1 }.merging(distances) { $1 })
  }
}

extension ConformanceReport.Finding {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "what": .text(what), "items": .number(Double(count)), "stratum": .text(stratum),
      "prediction": .list(item.prediction.map { .word($0) }),
      "target": .list(item.target.map { .word($0) }), "case": .text(caseText),
      "quantity": .text(quantity), "detail": .text(detail),
      "dialects": .list(dialects.map { .text($0) }),
      "strata": .object(
        Dictionary(uniqueKeysWithValues: strata.map { ($0.name, .number(Double($0.items))) })),
    ]
    if let known { members["known"] = .text(known.reason) }
    if let reading {
      members["got"] = .word(reading.got)
      members["halfWidths"] = .word(reading.halfWidths)
      members["ulps"] = .word(reading.ulps)
      if let band = reading.band {
        members["truth"] = .word(band.truth.midpoint.hi)
        members["tight"] = .list([.word(band.tight.lowerBound), .word(band.tight.upperBound)])
        members["accurate"] = .list([
          .word(band.accurate.lowerBound), .word(band.accurate.upperBound),
        ])
      }
    }
    return .object(members)
  }
}
