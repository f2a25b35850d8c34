import LossDefinitions
import Losses
import Testing

/// Training objectives as users call them: values, gradients, and whatever can be handed in wrong.
@Suite struct ObjectiveAPITests {
  static let scene = PositiveNegative.worked[0].scene
  static let aligned = TOOD.worked[0].scene

  @Test func termsHaveNamesAndSum() throws {
    let value = try PositiveNegative()(Self.scene.heads, Self.scene.truths)
    #expect(value.names == ["classification", "localization"])
    #expect(value["localization"] == 1.125)
    #expect(value["box"] == nil)
    #expect(value.total == value.terms[0] + value.terms[1])
    #expect(value.decisions == [[0, 1, nil]])
  }

  @Test func gradientsGoToTheCallersBuffers() throws {
    let heads = Self.scene.heads.map { $0.map { Float($0) } }
    var gradients = heads.map { $0.map { _ in Float.nan } }
    let value = try PositiveNegative().value(heads, Self.scene.truths, gradients: &gradients)
    #expect(gradients[1].data == [0, 0, 0, -0.5, 0, 1, 0, 0, 0, 0, 0, 0])
    let allocated = try PositiveNegative().valueAndGradients(heads, Self.scene.truths)
    #expect(allocated.gradients == gradients)
    #expect(allocated.value.terms == value.terms)
  }

  @Test func headsInTheCallersMemory() throws {
    let arrays = try PositiveNegative().valueAndGradients(Self.scene.heads, Self.scene.truths)
    let memory = Self.scene.heads.map { head in
      let values = UnsafeMutableBufferPointer<Double>.allocate(capacity: head.data.count)
      _ = values.initialize(from: head.data)
      let gradient = UnsafeMutableBufferPointer<Double>.allocate(capacity: head.data.count)
      gradient.initialize(repeating: .nan)
      return (values: values, gradient: gradient)
    }
    defer {
      for (values, gradient) in memory {
        values.deallocate()
        gradient.deallocate()
      }
    }
    var buffers: [HeadBuffer<Double>] = []
    for (head, place) in zip(Self.scene.heads, memory) {
      buffers.append(
        HeadBuffer(
          shape: head.shape, values: UnsafePointer(try #require(place.values.baseAddress)),
          gradient: try #require(place.gradient.baseAddress)))
    }
    let value = try PositiveNegative().value(buffers, Self.scene.truths)
    #expect(value.terms == arrays.value.terms)
    for (place, gradient) in zip(memory, arrays.gradients) {
      #expect(Array(place.gradient) == gradient.data)
    }
  }

  // MARK: - What can be wrong

  /// A change to a scene, and the words of the error that it must give.
  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout Scene<[ImageTruths]>) -> Void

    init(_ words: String, _ change: @escaping @Sendable (inout Scene<[ImageTruths]>) -> Void) {
      testDescription = words
      self.change = change
    }
  }

  static let faults = [
    Fault("labels, image 0, index 1: class 3; expected 0 ..< 3") { $0.truths[0].labels[1] = 3 },
    Fault("labels, image 0, index 0: class -1; expected 0 ..< 3") { $0.truths[0].labels[0] = -1 },
    Fault("labels, image 0: 1 labels; expected as many as boxes, 2") {
      $0.truths[0].labels.removeLast()
    },
    Fault("boxes, image 0, index 1: x1 = 40.0, x2 = 31.0; expected finite numbers, x1 ≤ x2") {
      $0.truths[0].boxes[1].x1 = 40
    },
    Fault("boxes, image 0, index 0: y1 = nan, y2 = 17.0; expected finite numbers, y1 ≤ y2") {
      $0.truths[0].boxes[0].y1 = .nan
    },
    Fault("boxes, image 0, index 7: nan; expected a finite number") {
      $0.heads[1].data[7] = .nan
    },
    Fault("scores, image 0, index 4: inf; expected a finite number") {
      $0.heads[0].data[4] = .infinity
    },
    Fault("scores, image 0, index 3: 1.5; expected a probability, 0 to 1") {
      $0.heads[0].data[3] = 1.5
    },
    Fault("scores: shape [1, 14, 3] with 42 numbers; expected shape [1, 15, any]") {
      $0.heads[0] = Tensor([1, 14, 3], Array($0.heads[0].data.prefix(42)))
    },
    Fault("boxes: shape [15, 4] with 60 numbers; expected shape [1, 15, 4]") {
      $0.heads[1].shape = [15, 4]
    },
    Fault("boxes: shape [1, 15, 4] with 59 numbers; expected 60 numbers") {
      $0.heads[1].data.removeLast()
    },
    Fault("scores: shape [1, -15, -3]; expected extents of at least 0 that fit in memory") {
      $0.heads[0].shape = [1, -15, -3]
    },
    Fault("heads: 1 heads; expected 2: scores, boxes") { $0.heads.removeLast() },
    Fault("scores: shape [1, 15, 3] with 45 numbers; expected shape [2, 15, any]") {
      $0.truths.append(ImageTruths())
    },
  ]

  @Test(arguments: faults)
  func aFaultIsNamed(_ fault: Fault) {
    var scene = Scene(Self.aligned.heads, Self.aligned.truths.images)
    fault.change(&scene)
    let truths = TOOD.Truths(scene.truths, anchors: Self.aligned.truths.anchors)
    var gradients = scene.heads.map { $0.map { _ in 7.0 } }
    let before = gradients
    do throws(InvalidInput) {
      _ = try TOOD().value(scene.heads, truths, gradients: &gradients)
      Issue.record("no error")
    } catch {
      #expect(error.description == fault.testDescription)
    }
    #expect(gradients == before)
  }

  @Test func gradientBuffersMustFit() {
    var gradients = Self.scene.heads
    gradients[1].data.removeLast()
    #expect {
      try PositiveNegative().value(Self.scene.heads, Self.scene.truths, gradients: &gradients)
    } throws: { error in
      "\(error)"
        == "gradients, index 1: shape [1, 3, 4] with 11 numbers; "
        + "expected the head's, [1, 3, 4] with 12"
    }
  }

  @Test func assignmentsAreCheckedToo() throws {
    var problem = TOOD().problem(Self.aligned.heads, Self.aligned.truths, 0)
    let matching = try TOODAssignment()(problem)
    #expect(matching == TOODAssignment().reference(problem))
    problem.boxes.removeLast()
    #expect(throws: InvalidInput.self) { try TOODAssignment()(problem) }
  }

  // MARK: - What is strange, and defined

  /// Truths that an objective is defined on, with what must come of them.
  @Test func strangeTruthsFollowThePolicy() throws {
    func terms(_ boxes: [Box<Double>], topk: Int = 13) throws -> [Double] {
      var objective = TOOD()
      objective.assignment.topk = topk
      let images = [ImageTruths(boxes, labels: boxes.map { _ in 0 })]
      return try objective(
        Self.aligned.heads, TOOD.Truths(images, anchors: Self.aligned.truths.anchors)
      ).terms
    }
    let truth = Self.aligned.truths.images[0].boxes[0]
    let empty = try terms([])
    // No truths: classification alone, nothing to divide by.
    #expect(empty[0] > 0 && empty[1] == 0)
    // Of no area, and outside the image: nothing aligns with them.
    #expect(try terms([Box(x1: 8, y1: 2, x2: 8, y2: 20)]) == empty)
    #expect(try terms([Box(x1: 8, y1: 8, x2: 8, y2: 8)]) == empty)
    #expect(try terms([Box(x1: 900, y1: -70, x2: 950, y2: -10)]) == empty)
    // The second of two identical truths gets nothing.
    let (alone, every) = (try terms([truth]), try terms([truth], topk: 15))
    #expect(try terms([truth, truth]) == alone)
    // More picks than anchors: all anchors.
    #expect(try terms([truth], topk: 1_000_000) == every)
    #expect(throws: InvalidInput.self) { try terms([truth], topk: 0) }
  }

  @Test func emptyBatches() throws {
    let anchors = Self.aligned.truths.anchors
    let none = try TOOD().valueAndGradients(
      [Tensor([0, 15, 3], []), Tensor([0, 15, 4], [])], TOOD.Truths([], anchors: anchors))
    #expect(none.value.terms == [0, 0])
    #expect(none.gradients.map(\.data) == [[], []])
    let pairs = try PositiveNegative().valueAndGradients(
      [Tensor([0, 3, 3], []), Tensor([0, 3, 4], [])], [])
    #expect(pairs.value.terms == [0, 0])
    let bare = try PositiveNegative()(
      [Tensor([2, 0, 3], []), Tensor([2, 0, 4], [])],
      [ImageTruths(), ImageTruths([Box(x1: 0, y1: 0, x2: 1, y2: 1)], labels: [1])])
    #expect(bare.terms == [0, 0])
  }
}
