import LossDefinitions

/// Which variant of a loss an implementation computes.
public struct IdentificationReport: Sendable {
  public enum Verdict: String, Sendable {
    case one
    /// What is left are different functions that the precision does not tell apart.
    case several
    case none
    /// The answers hold no number that a band says anything of.
    case undecided
    case unsupported
    /// The implementation crashed, hung or reported errors.
    case failed
  }

  /// A function under one of its names.
  public struct Name: Sendable {
    /// "torchvision/complete_box_iou_loss eps=1e-07".
    public let text: String
    /// Whether the arguments are what the framework's function has by itself.
    public let isDefault: Bool
    /// Other arguments that round to the same numbers of the format: "eps=1e-09".
    public let rounded: [String]
    /// Names of the same function have the same number, from 0.
    public let function: Int
  }

  /// The first difference to the nearest candidate, at a simple item.
  public struct Difference: Sendable {
    public var item: Item
    /// 0 is the value, k + 1 the gradient's component k.
    public var quantity: Int
    public var reading: Reading
  }

  /// How near to apart the candidates come that are left.
  public struct Overlap: Sendable {
    public let names: (String, String)
    public let item: Item
    public let quantity: Int
    public let truths: (Double, Double)
    /// The distance of the truths, in the half-widths that both accurate bands have together.
    public let share: Double
  }

  public internal(set) var selection: Selection
  public let greeting: Greeting
  public let seed: UInt64
  public internal(set) var verdict = Verdict.none
  public internal(set) var reason = ""
  public internal(set) var notes: [String] = []
  public internal(set) var names: [Name] = []
  public internal(set) var overlap: Overlap?
  /// What comes nearest, where nothing fits.
  public internal(set) var nearest: [Name] = []
  public internal(set) var inside = 0
  public internal(set) var difference: Difference?
  /// Functions that were candidates; items asked to tell them apart, and in all.
  public internal(set) var candidates = 0
  public internal(set) var probes = 0
  public internal(set) var items = 0
  /// Items answered by a number, and those whose value or gradient was none.
  public internal(set) var numbers = 0
  public internal(set) var undefined = 0
  public internal(set) var rejected = 0

  var gap: Inquiry.Gap?

  init(selection: Selection, greeting: Greeting, seed: UInt64) {
    self.selection = selection
    self.greeting = greeting
    self.seed = seed
  }

  /// What a command line ends with: 0 identified, 1 no candidate fits, 3 the program failed or offers
  /// nothing of it, 4 nothing could be decided.
  public func exitStatus(faults: Int) -> Int32 {
    if faults > 0 { return 3 }
    return switch verdict {
    case .one, .several: 0
    case .none: 1
    case .undecided: 4
    case .unsupported, .failed: 3
    }
  }
}

extension IdentificationReport {
  /// An item as `lossref identify --case` reads it.
  public static func caseText(_ item: Item, _ format: Format, targetIsIndex: Bool) -> String {
    let target =
      targetIsIndex
      ? item.target.map { "\(Int($0))" }.joined(separator: ",")
      : PackedNumbers.text(item.target, format)
    return "\(PackedNumbers.text(item.prediction, format)):\(target)"
  }

  public var json: JSON {
    func list(_ numbers: [Double]) -> JSON { .list(numbers.map { .word($0) }) }
    func names(_ names: [Name]) -> JSON {
      .list(
        names.map {
          .object([
            "name": .text($0.text), "default": .flag($0.isDefault),
            "function": .number(Double($0.function)),
            "rounded": .list($0.rounded.map { .text($0) }),
          ])
        })
    }
    let counts = [
      "candidates": candidates, "probes": probes, "items": items, "numbers": numbers,
      "undefined": undefined, "rejected": rejected,
    ].mapValues { JSON.number(Double($0)) }
    var members: [String: JSON] = [
      "loss": .text(selection.loss), "asked": .text(selection.dialect),
      "dtype": .text(selection.format.rawValue), "seed": .text("\(seed)"),
      "program": .object([
        "name": .text(greeting.name), "version": .text(greeting.version),
        "language": .text(greeting.language),
      ]),
      "verdict": .text(verdict.rawValue), "reason": .text(reason), "names": names(self.names),
      "notes": .list(notes.map { .text($0) }), "counts": .object(counts),
    ]
    if let overlap {
      members["overlap"] = .object([
        "names": .list([.text(overlap.names.0), .text(overlap.names.1)]),
        "prediction": list(overlap.item.prediction), "target": list(overlap.item.target),
        "quantity": .text(Self.quantity(overlap.quantity)),
        "truths": list([overlap.truths.0, overlap.truths.1]), "share": .word(overlap.share),
      ])
    }
    if !nearest.isEmpty {
      members["nearest"] = .object([
        "names": names(nearest), "inside": .number(Double(inside)),
        "of": .number(Double(numbers)),
      ])
    }
    if let difference {
      var found: [String: JSON] = [
        "prediction": list(difference.item.prediction), "target": list(difference.item.target),
        "quantity": .text(Self.quantity(difference.quantity)),
        "got": .word(difference.reading.got), "halfWidths": .word(difference.reading.halfWidths),
        "ulps": .word(difference.reading.ulps),
      ]
      if let band = difference.reading.band {
        found["truth"] = .word(band.truth.midpoint.hi)
        found["accurate"] = list([band.accurate.lowerBound, band.accurate.upperBound])
      }
      members["difference"] = .object(found)
    }
    return .object(members)
  }

  /// "value", "gradient 2".
  public static func quantity(_ k: Int) -> String { k == 0 ? "value" : "gradient \(k - 1)" }
}
