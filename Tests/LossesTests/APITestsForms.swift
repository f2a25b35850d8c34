import LossDefinitions
import Losses
import Testing

@Suite struct APIFormTests {
  static let boxes: [Float] = [0, 0, 2, 2, 1, 1, 4, 3]
  static let truths: [Float] = [1, 1, 3, 3, 1, 1, 4, 3]

  /// IoU losses 6/7 and 0: the overlap is 1 of 7, then all.
  @Test func valueOfTwoBoxes() throws {
    let loss = IoU()
    #expect(try loss.values(Self.boxes, Self.truths) == [6 / 7, 0])
    #expect(try loss(Self.boxes, Self.truths) == Double(6 / 7 as Float))
    #expect(try loss(Self.boxes, Self.truths, normalizer: .mean) == Double(6 / 7 as Float) / 2)
    #expect(try loss(Self.boxes, Self.truths, weights: [0, 3]) == 0)
  }

  @Test func storagesAgree() throws {
    let loss = CIoU()
    let (boxes, truths) = (Self.boxes, Self.truths)
    let weights: [Float] = [0.5, 2]
    let expected = try loss.valueAndGradient(boxes, truths, weights: weights, normalizer: .mean)

    let slices = try loss.valueAndGradient(
      boxes[...], truths[...], weights: weights[...], normalizer: .mean)
    #expect(slices == expected)

    var gradient = [Float](repeating: 0, count: 8)
    var value = 0.0
    try boxes.withUnsafeBufferPointer { p in
      try truths.withUnsafeBufferPointer { t in
        try weights.withUnsafeBufferPointer { w in
          try gradient.withUnsafeMutableBufferPointer { g in
            var buffer = g
            value = try loss.value(p, t, weights: w, normalizer: .mean, gradient: &buffer)
            #expect(value == expected.value && Array(g) == expected.gradient)
            g.update(repeating: 0)
            var span = g.mutableSpan
            value = try loss.value(
              p.span, t.span, weights: w.span, normalizer: .mean, gradient: &span)
          }
        }
      }
    }
    #expect(value == expected.value && gradient == expected.gradient)
  }

  // MARK: Boxes

  @Test func invertedBoxesAreNamed() throws {
    var boxes = Self.boxes
    boxes[6] = 0.5
    let prediction = #expect(throws: LossError.self) { try GIoU()(boxes, Self.truths) }
    #expect(prediction?.kind == .invertedBox)
    #expect(prediction?.description == "predictions[1]: x1 = 1.0, x2 = 0.5, expected x1 ≤ x2")
    boxes = Self.truths
    boxes[3] = -1
    let target = #expect(throws: LossError.self) { try GIoU()(Self.boxes, boxes) }
    #expect(target?.description == "targets[0]: y1 = 1.0, y2 = -1.0, expected y1 ≤ y2")
    #expect(try GIoU()(Self.boxes, boxes, validation: .trusted).isFinite)
  }

  @Test func nanIsNotInverted() throws {
    var boxes = Self.boxes
    boxes[2] = .nan
    let values = try DIoU().values(boxes, Self.truths)
    #expect(values[0].isNaN && values[1] == 0)
  }

  @Test func nothingIsWrittenWhereSomethingIsWrong() throws {
    var gradient = [Float](repeating: 7, count: 8)
    #expect(throws: LossError.self) {
      try IoU().value(Self.boxes, Self.truths, weights: [1, -1], gradient: &gradient)
    }
    #expect(gradient == [Float](repeating: 7, count: 8))
  }

  @Test func similaritiesAreThoseOfThePairs() throws {
    var random = SplitMix(seed: 3, "similarities")
    let loss = GIoU()
    let items = (0..<150).map { _ in loss.sample("pixel", using: &random) }
    let first = items.prefix(3).flatMap { $0.prediction.map { Float($0) } }
    let second = items.flatMap { $0.target.map { Float($0) } }
    let matrix = try loss.similarities(first, second)
    for i in 0..<3 {
      let row = (0..<150).flatMap { _ in first[4 * i..<4 * i + 4] }
      #expect(try loss.values(row, second).map { 1 - $0 } == Array(matrix[150 * i..<150 * (i + 1)]))
    }
    let both = try loss.similaritiesAndGradients(first, second)
    #expect(both.similarities == matrix)
    #expect(both.first.count == first.count && both.second.count == second.count)
    #expect(both.first.contains { $0 != 0 } && both.second.contains { $0 != 0 })
    #expect(throws: LossError.self) { try loss.similaritiesAndGradients(first, [0, 0, 1]) }
    #expect(try loss.similarities(first, []).isEmpty)
    #expect(try loss.similarities([], second).isEmpty)
  }

  @Test func similaritiesOfWrongSizesAreNamed() {
    let odd = #expect(throws: LossError.self) { try IoU().similarities([0, 0, 1] as [Float], []) }
    #expect(odd?.description == "first: 3 numbers, expected a multiple of 4")
    let inverted = #expect(throws: LossError.self) {
      try IoU().similarities(Self.boxes, [0, 0, -1, 1])
    }
    #expect(inverted?.description == "second[0]: x1 = 0.0, x2 = -1.0, expected x1 ≤ x2")
    var matrix = [Float](repeating: 0, count: 3)
    let size = #expect(throws: LossError.self) {
      try IoU().similarities(Self.boxes, Self.truths, into: &matrix)
    }
    #expect(size?.description == "matrix: 3 numbers, expected 2 x 2")
  }

  // MARK: Class indices

  static let logits: [Double] = [1, 2, 0.5, -1, 0, 3, 0.25, 0.5, 2]

  @Test(arguments: [-1, 3, Int.min, Int.max])
  func indicesOutOfRangeAreNamed(_ label: Int) {
    let error = #expect(throws: LossError.self) {
      try SparseSoftmaxCrossEntropy()(Self.logits, [0, label, 2], classes: 3)
    }
    #expect(error?.kind == .classIndex && error?.index == 1)
    #expect(error?.description == "targets[1]: class \(label), expected 0 ..< 3")
  }

  @Test(arguments: [-100, 2])
  func ignoredRowsAreNone(_ ignored: Int) throws {
    var loss = SparseSoftmaxCrossEntropy()
    loss.classWeights = [1, 0.5, 2]
    var logits = Self.logits
    logits[4] = .nan
    let labels = [1, ignored, 0]
    let kept = try loss.valueAndGradient(
      Array(logits[0..<3] + logits[6...]), [1, 0], classes: 3, normalizer: .mean)
    let all = try loss.valueAndGradient(
      logits, labels, classes: 3, ignoring: ignored, normalizer: .mean)
    #expect(all.value == kept.value)
    #expect(all.gradient == Array(kept.gradient[0..<3]) + [0, 0, 0] + Array(kept.gradient[3...]))
    let values = try loss.values(logits, labels, classes: 3, ignoring: ignored)
    #expect(values[1] == 0 && values[0] > 0 && values[2] > 0)
    let weighted = try loss(
      logits, labels, classes: 3, ignoring: ignored, weights: [3, 100, 5], normalizer: .weightSum)
    #expect(weighted == (3 * values[0] + 5 * values[2]) / 8)
  }

  @Test func aMeanOfIgnoredRowsIsAnError() throws {
    let loss = SparseSoftmaxCrossEntropy()
    let error = #expect(throws: LossError.self) {
      try loss(Self.logits, [9, 9, 9], classes: 3, ignoring: 9, normalizer: .mean)
    }
    #expect(
      error?.description == "normalizer: the mean of no items, expected N finite and above 0")
    #expect(try loss(Self.logits, [9, 9, 9], classes: 3, ignoring: 9) == 0)
  }

  @Test func theOtherKindOfTargetIsAnError() {
    let indices = #expect(throws: LossError.self) {
      try SoftmaxCrossEntropy()(Self.logits, [0, 1, 2], classes: 3)
    }
    #expect(indices?.description == "targets: class indices, expected numbers")
    let numbers = #expect(throws: LossError.self) {
      try SparseSoftmaxCrossEntropy()(Self.logits, Self.logits, width: 3)
    }
    #expect(numbers?.description == "targets: numbers, expected class indices")
  }

  @Test(arguments: [0, -3, Int.min])
  func aWidthMustBePositive(_ width: Int) {
    let classes = #expect(throws: LossError.self) {
      try SparseSoftmaxCrossEntropy().values(Self.logits, [0, 1, 2], classes: width)
    }
    #expect(classes?.description == "classes: \(width), expected at least 1")
    let region = #expect(throws: LossError.self) {
      try Dice().values(Self.logits, Self.logits, width: width)
    }
    #expect(region?.description == "width: \(width), expected at least 1")
  }

  @Test func classWeightsFixTheNumberOfClasses() {
    var loss = SoftmaxCrossEntropy()
    loss.classWeights = [1, 2]
    let error = #expect(throws: LossError.self) {
      try loss(Self.logits, Self.logits, width: 3)
    }
    #expect(error?.description == "width: 3, expected 2")
  }

  @Test func aBinTargetIsOneNumberARow() throws {
    let bins: [Float] = [0.5, 2]
    let logits: [Float] = [1, 2, 3, 4, 0, 0]
    #expect(try DistributionFocal().values(logits, bins, width: 3).count == 2)
    let error = #expect(throws: LossError.self) {
      try DistributionFocal().values(logits, logits, width: 3)
    }
    #expect(error?.description == "targets: 6 numbers, expected 2")
  }

  // MARK: Regions

  @Test func regionsAreSideBySide() throws {
    let first: [Float] = [1, 0, 0.5, 0.25]
    let second: [Float] = [0, 0, 1, 0.75]
    let mask: [Float] = [1, 0, 1, 0]
    let both = try Dice().values(first + second, mask + mask, width: 4)
    let alone = [try Dice()(first, mask, width: 4), try Dice()(second, mask, width: 4)]
    #expect(both.map { Double($0) } == alone)
  }
}
