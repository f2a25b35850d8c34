import LossDefinitions

/// A fault that implementations are known to have, put on purpose: what a set of vectors is worth is
/// which of them it rejects.
public struct Mutant: Sendable {
  /// What it does to answers. An answer is the value and the gradient's components, in a row.
  enum Fault: Sendable {
    /// Another formula of one item, and the bounds of what it comes to in a format; nil where it does
    /// not apply.
    case formula(
      answer: @Sendable (Item, Format) -> [Double]?,
      bounds: @Sendable (Item, Format) -> [Interval<Narrow>]?)
    /// A right answer changed.
    case answer(@Sendable (inout [Double]) -> Void)
    /// The right answers of a batch changed.
    case batch(@Sendable (inout [[Double]]) -> Void)
    /// Right answers reduced wrongly; the count of positives is a denominator that some take.
    case reduction(@Sendable (_ answers: [[Double]], _ positives: Int) -> Reduced)
  }

  /// Items summed and averaged, and their gradients under the mean.
  struct Reduced {
    var sum: Double
    var mean: Double
    var gradient: [[Double]]

    init(_ answers: [[Double]], over divisor: Double? = nil) {
      let divisor = divisor ?? Double(answers.count)
      sum = answers.reduce(0) { $0 + $1[0] }
      mean = sum / divisor
      gradient = answers.map { $0.dropFirst().map { $0 / divisor } }
    }
  }

  public let name: String
  /// What is wrong, in a sentence.
  public let sentence: String
  let fault: Fault
  var formats: [Format] = [.f32, .f64]
  /// Why no input can show it in a format, where none can.
  var equivalence: [Format: String] = [:]

  /// Whether single items show it.
  var isOfItems: Bool {
    switch fault {
    case .formula, .answer: true
    case .batch, .reduction: false
    }
  }

  /// Why no input shows it in a format; empty where some does.
  public func equivalence(in format: Format) -> String { equivalence[format] ?? "" }

  init(
    _ name: String, _ sentence: String, _ fault: Fault, formats: [Format] = [.f32, .f64]
  ) {
    self.name = name
    self.sentence = sentence
    self.fault = fault
    self.formats = formats
  }

  init(_ name: String, _ sentence: String, _ formula: some MutatedFormula) {
    self.init(name, sentence, .formula(answer: formula.answer, bounds: formula.bounds))
  }
}

/// A loss with something wrong, over any kind of number.
protocol MutatedFormula: Sendable {
  func value<S: Scalar>(_ x: [S], _ t: [S]) -> S
}

extension MutatedFormula {
  /// What a program that carries out the formula in the format answers.
  @Sendable func answer(_ item: Item, _ format: Format) -> [Double]? {
    Narrow.rounding(Rounding(format)) {
      numbers(item) { Narrow($0) }.map(\.value)
    }
  }

  /// Bounds of what any program that does so answers.
  @Sendable func bounds(_ item: Item, _ format: Format) -> [Interval<Narrow>]? {
    Narrow.rounding(Rounding(format)) {
      numbers(item) { Interval<Narrow>($0) }
    }
  }

  private func numbers<S: Scalar>(_ item: Item, _ number: (Double) -> S) -> [S] {
    let x = Dual<S>.variables(item.prediction.map(number))
    let result = value(x, item.target.map { Dual<S>(constant: number($0)) })
    return [result.value] + item.prediction.indices.map { result.slope($0) }
  }
}

extension VectorCase {
  /// The truth rounded to the format; nil where a number is not judged.
  func rightAnswer(_ format: Format) -> [Double]? {
    let numbers = bands.compactMap { $0.map { format.rounded($0.truth) } }
    return numbers.count == bands.count ? numbers : nil
  }

  /// Whether some would count the item among the positives: a foreground class, a target above 0, a
  /// region with pixels, a large loss.
  func isPositive(_ family: Family, targetIsIndex: Bool) -> Bool {
    switch family {
    case .elements: item.target[0] > 0
    case .classes:
      targetIsIndex ? item.target[0] > 0 : item.target.first ?? 0 < item.target.max() ?? 0
    case .regions: item.target.contains { $0 > 0.5 }
    case .rotatedBoxes: (value?.truth ?? 0) > 0.8
    default: (value?.truth ?? 0) > 0.5
    }
  }
}
