import Foundation
import LossDefinitions
import LossVerification
import Testing

/// Frameworks' own results, answered in their dialects.
@Suite struct GoldenTests {
  static let files = [
    "detector_rcnn", "detector_centernet", "detector_detr", "detector_yolox",
    "detector_tood",
    "detector_darknet", "detector_keras_yolo3", "detector_tensorflow_yolov3",
    "fvcore_losses", "keras_boxes", "keras_crossentropy", "keras_dice_tversky", "keras_regression",
    "mmdet_focal_family", "mmdet_iou", "mmdet_others", "optax_regression_hinge", "optax_sigmoid",
    "optax_softmax",
    "tf_soft_iou", "torch_bce", "torch_cross_entropy", "torch_regression",
    "torchvision_box_losses", "torchvision_focal", "torchvision_pairwise",
    "ultralytics_bbox_iou", "ultralytics_cls", "ultralytics_dfl", "ultralytics_keypoint",
    "ultralytics_probiou", "detector_v8_segmentation", "detector_v8_pose", "detector_v8_obb",
    "ultralytics_assigner", "ultralytics_bboxloss", "ultralytics_v8_detection_loss",
    "detector_rpn",
    "detectron2_retinanet", "detector_ssd", "torchvision_dense_detectors",
  ]

  /// The functions of which every case must be answered; others may be unsupported.
  static let required: Set<String> = [
    "torchvision/fastrcnn_loss", "torchvision/maskrcnn_loss",
    "detectron2/FastRCNNOutputLayers_losses", "matterport-mask-rcnn/mrcnn_class_loss",
    "matterport-mask-rcnn/mrcnn_bbox_loss", "matterport-mask-rcnn/mrcnn_mask_loss",
    "matterport-mask-rcnn/detection_targets",
    "centernet/CtdetLoss", "detr/SetCriterion", "yolox/get_losses",
    "torchvision/generalized_box_iou_loss", "torchvision/distance_box_iou_loss",
    "torchvision/complete_box_iou_loss", "torchvision/box_iou", "torchvision/generalized_box_iou",
    "torchvision/distance_box_iou", "torchvision/complete_box_iou",
    "torchvision/sigmoid_focal_loss", "fvcore/giou_loss", "fvcore/sigmoid_focal_loss",
    "fvcore/sigmoid_focal_loss_star", "fvcore/smooth_l1_loss", "ultralytics/bbox_iou_IoU",
    "ultralytics/bbox_iou_GIoU", "ultralytics/bbox_iou_DIoU", "ultralytics/bbox_iou_CIoU",
    "ultralytics/probiou", "ultralytics/batch_probiou", "ultralytics/KeypointLoss",
    "ultralytics/v8SegmentationLoss", "ultralytics/v8PoseLoss", "ultralytics/v8OBBLoss",
    "ultralytics/TaskAlignedAssigner", "ultralytics/BboxLoss", "ultralytics/v8DetectionLoss",
    "ultralytics/FocalLoss", "ultralytics/DFLoss", "mmdet/distribution_focal_loss",
    "mmdet/bounded_iou_loss", "mmdet/iou_loss_linear", "mmdet/iou_loss_square",
    "mmdet/iou_loss_log", "mmdet/giou_loss", "mmdet/diou_loss", "mmdet/ciou_loss",
    "mmdet/eiou_loss",
    "mmdet/balanced_l1_loss", "mmdet/GHMR",
    "mmdet/siou_loss",
    "torch/binary_cross_entropy", "torch/binary_cross_entropy_with_logits",
    "torch/cross_entropy", "torch/l1_loss", "torch/mse_loss", "torch/smooth_l1_loss",
    "torch/huber_loss", "tensorflow/soft_iou", "tensorflow/weighted_iou",
    "keras/BinaryCrossentropy", "keras/CategoricalCrossentropy",
    "keras/SparseCategoricalCrossentropy", "keras/Huber", "keras/MeanSquaredError",
    "keras/MeanAbsoluteError", "keras/Dice", "keras/compute_ciou", "keras/keras_cv_IoULoss",
    "keras/keras_cv_GIoULoss",
    "keras/keras_cv_CIoULoss",
    "optax/sigmoid_binary_cross_entropy",
    "optax/softmax_cross_entropy", "optax/softmax_cross_entropy_with_integer_labels",
    "keras/LogCosh", "optax/log_cosh", "optax/huber_loss", "optax/l2_loss", "optax/squared_error",
    "optax/sigmoid_focal_loss",
    "torchvision/rpn_compute_loss", "detectron2/RPN_losses", "matterport-mask-rcnn/rpn_class_loss",
    "matterport-mask-rcnn/rpn_bbox_loss", "matterport-mask-rcnn/build_rpn_targets",
    "tood/TOODHead_loss",
    "torchvision/retinanet_classification", "torchvision/retinanet_regression",
    "torchvision/fcos_head", "torchvision/ssd_compute_loss", "ssd.pytorch/MultiBoxLoss",
    "detectron2/RetinaNet_losses",
  ]

  /// Of the references and of the kernels in Double, relative to the largest entry.
  static let tolerance = 2e-12

  @Test(arguments: files)
  func references(_ file: String) throws {
    let score = try Score(file, with: ReferenceEvaluator()) { _ in Self.tolerance }
    #expect(score.wrong.isEmpty, "\(score)")
  }

  @Test(arguments: files)
  func kernelsInFloat(_ file: String) throws {
    let score = try Score(file, with: KernelEvaluator<Float>()) { $0.exact ? 2e-5 : nil }
    #expect(score.wrong.isEmpty, "\(score)")
  }

  @Test(arguments: files)
  func kernelsInDouble(_ file: String) throws {
    let score = try Score(file, with: KernelEvaluator<Double>()) { _ in
      Self.tolerance
    }
    #expect(score.wrong.isEmpty, "\(score)")
  }

  @Test func everyRequiredFunctionIsAnsweredInFull() throws {
    var answered: [String: Int] = [:]
    var unsupported: [String: Int] = [:]
    for file in Self.files {
      let score = try Score(file, with: ReferenceEvaluator()) { _ in .infinity }
      answered.merge(score.answered, uniquingKeysWith: +)
      unsupported.merge(score.unsupported, uniquingKeysWith: +)
    }
    let others = unsupported.filter { !Self.required.contains($0.key) }
    print(
      "\(answered.values.reduce(0, +)) golden cases answered; not supported:",
      others.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", "))
    let missing = Self.required.filter { unsupported[$0] != nil || answered[$0] == nil }
    #expect(missing.isEmpty, "\(missing.sorted())")
  }
}

/// How an evaluator's answers to a file's cases compare with the recorded results.
struct Score: CustomStringConvertible {
  private(set) var answered: [String: Int] = [:]
  private(set) var unsupported: [String: Int] = [:]
  private(set) var wrong: [String] = []

  /// Beside the tolerance, what a number may be off by, in units of the case's own sensitivity.
  static let kappa = 16.0

  /// - Parameter tolerance: of a case, relative to the largest entry; nil leaves the case out.
  init(
    _ file: String, with evaluator: any Evaluator, tolerance: (GoldenCase) -> Double?
  ) throws {
    let answering = Answering(with: evaluator)
    for (i, golden) in try GoldenCase.all(file).enumerated() {
      guard let tolerance = tolerance(golden) else { continue }
      let answer = try JSON(answering.answer(golden.line, number: i + 1))
      if answer["unsupported"] != nil {
        unsupported[golden.function, default: 0] += 1
        continue
      }
      answered[golden.function, default: 0] += 1
      if answer["rejected"] != nil, golden.tags.contains("value-not-finite") { continue }
      let problems = golden.problems(with: answer, tolerance: tolerance)
      if !problems.isEmpty { wrong.append("\(golden.id): \(problems.joined(separator: "; "))") }
    }
  }

  var description: String {
    "\(wrong.count) of \(answered.values.reduce(0, +)) cases are wrong:\n"
      + wrong.prefix(5).joined(separator: "\n")
  }
}

/// A recorded case.
struct GoldenCase {
  let line: String
  let fields: JSON
  let id: String
  let function: String
  let tags: Set<String>
  let exact: Bool

  static func all(_ file: String) throws -> [GoldenCase] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens")
    let text = try String(
      contentsOf: folder.appendingPathComponent("\(file).jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").map { try GoldenCase(String($0)) }
  }

  private init(_ line: String) throws {
    self.line = line
    fields = try JSON(line)
    id = try #require(fields["id"]?.word)
    let peer = try #require(fields["peer"]?.word?.split(separator: " ").first)
    function = try "\(peer)/\(#require(fields["loss"]?.word))"
    tags = Set((fields["tags"]?.entries ?? []).compactMap(\.word))
    exact = fields["f32_exact"] == .flag(true)
  }

  /// What is wrong with an answer. Where a gradient jumps, any finite one is a convention; where the
  /// order of ties decides, any well-formed answer.
  func problems(with answer: JSON, tolerance: Double) -> [String] {
    var problems: [String] = []
    let kink = tags.contains("kink")
    let tie = tags.contains("tie")
    if let want = fields["value"], want != .null {
      let sensitivity = fields["sens"]?["value"]?.double ?? 0
      if let problem = Self.problem(
        answer["value"], want, tolerance, sensitivity, anyFinite: tie)
      {
        problems.append("value \(problem); \(answer["rejected"]?.word ?? "")")
      }
    }
    for (name, want) in (fields["grads"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
      let sensitivity = fields["sens"]?["grads"]?[name]?.double ?? 0
      if let problem = Self.problem(
        answer["grads"]?[name], want, tolerance, sensitivity, anyFinite: kink || tie)
      {
        problems.append("gradient in \(name) \(problem)")
      }
    }
    for (name, want) in (fields["outputs"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let problem = Self.problem(
        answer["outputs"]?[name], want, tolerance, 0, anyFinite: tie)
      {
        problems.append("output \(name) \(problem)")
      }
    }
    return problems
  }

  private static func problem(
    _ got: JSON?, _ want: JSON, _ tolerance: Double, _ sensitivity: Double, anyFinite: Bool
  ) -> String? {
    guard let got, let given = got["data"]?.numbers, let expected = want["data"]?.numbers else {
      return "is missing"
    }
    guard got["shape"] == want["shape"], given.count == expected.count else {
      return "has another shape, \(got["shape"] ?? .null)"
    }
    // An entry that is not finite is a fact about the framework, and no target.
    let targets = zip(given, expected).filter { $1.isFinite }
    let scale = targets.map { $1.magnitude }.max() ?? 1
    let allowed =
      tolerance * scale + (sensitivity.isFinite ? kappa * sensitivity : 0) + 1e-300
    for (g, e) in targets where !g.isFinite || (!anyFinite && (g - e).magnitude > allowed) {
      return "is \(g), not \(e), \((g - e).magnitude / allowed) times the allowance"
    }
    return nil
  }

  private static let kappa = Score.kappa
}

extension JSON {
  var word: String? { if case .text(let text) = self { text } else { nil } }
  var entries: [JSON]? { if case .list(let values) = self { values } else { nil } }
  var members: [String: JSON]? { if case .object(let members) = self { members } else { nil } }

  /// The number, or what one of the three words stands for.
  var double: Double? {
    switch self {
    case .number(let value): value
    case .text("nan"): .nan
    case .text("inf"): .infinity
    case .text("-inf"): -.infinity
    default: nil
    }
  }

  var numbers: [Double]? {
    guard let entries else { return nil }
    let numbers = entries.compactMap(\.double)
    return numbers.count == entries.count ? numbers : nil
  }
}
