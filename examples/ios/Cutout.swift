// A photo to its cut-out by a Core ML package of `animatte export coreml`. iOS 16 and later.
//
// Drag Animatte.mlpackage into the Xcode project. Xcode compiles it into the app, where it is
// found here by name; its input is called `image`, its output `alpha`.

import CoreImage
import CoreML
import UIKit
import Vision

enum CutoutError: Error {
    case modelIsMissing(String)
    case photoCannotBeRead
    case modelGaveNoMatte
}

/// Cuts the animal out of a photo. Make one and keep it: loading the model takes the longest.
final class Cutout: @unchecked Sendable {
    private let model: VNCoreMLModel
    private let context = CIContext()

    init(modelName: String = "Animatte", computeUnits: MLComputeUnits = .all) throws {
        guard let url = Bundle.main.url(forResource: modelName, withExtension: "mlmodelc") else {
            throw CutoutError.modelIsMissing(modelName)
        }
        let configuration = MLModelConfiguration()
        configuration.computeUnits = computeUnits
        model = try VNCoreMLModel(for: MLModel(contentsOf: url, configuration: configuration))
    }

    /// The photo with a transparent background, at the photo's own size. Call it off the main thread.
    func cutOut(_ photo: UIImage) throws -> UIImage {
        guard let pixels = photo.cgImage else { throw CutoutError.photoCannotBeRead }
        let orientation = CGImagePropertyOrientation(photo.imageOrientation)
        let colour = CIImage(cgImage: pixels).oriented(orientation)
        let alpha = try matte(of: colour)

        let enlarged = alpha.transformed(
            by: CGAffineTransform(
                scaleX: colour.extent.width / alpha.extent.width,
                y: colour.extent.height / alpha.extent.height
            )
        )
        // By the red channel: the one that a picture of one channel is sure to have.
        let cutout = colour.applyingFilter(
            "CIBlendWithRedMask",
            parameters: [
                kCIInputBackgroundImageKey: CIImage(color: .clear).cropped(to: colour.extent),
                kCIInputMaskImageKey: enlarged,
            ]
        )
        guard let result = context.createCGImage(cutout, from: colour.extent) else {
            throw CutoutError.modelGaveNoMatte
        }
        return UIImage(cgImage: result, scale: photo.scale, orientation: .up)
    }

    /// Alpha as a grey picture of the model's size.
    private func matte(of colour: CIImage) throws -> CIImage {
        let request = VNCoreMLRequest(model: model)
        // The whole photo, stretched to the model's size; the matte is stretched back.
        request.imageCropAndScaleOption = .scaleFill
        try VNImageRequestHandler(ciImage: colour).perform([request])
        guard let observation = request.results?.first as? VNPixelBufferObservation else {
            throw CutoutError.modelGaveNoMatte
        }
        // Alpha is a share, not a colour: without a colour space no curve is applied to it.
        return CIImage(cvPixelBuffer: observation.pixelBuffer, options: [.colorSpace: NSNull()])
    }
}

extension CGImagePropertyOrientation {
    init(_ orientation: UIImage.Orientation) {
        switch orientation {
        case .up: self = .up
        case .upMirrored: self = .upMirrored
        case .down: self = .down
        case .downMirrored: self = .downMirrored
        case .left: self = .left
        case .leftMirrored: self = .leftMirrored
        case .right: self = .right
        case .rightMirrored: self = .rightMirrored
        @unknown default: self = .up
        }
    }
}
