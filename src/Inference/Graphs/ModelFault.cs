using System.Text.RegularExpressions;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Graphs;

/// <summary>
/// What a file made something throw, as a problem of that model. A file may be anything, and neither the runtime nor the libraries
/// say which exceptions it can make them throw.
/// </summary>
internal static partial class ModelFault
{
    /// <summary>The exception as a problem of the model.</summary>
    /// <param name="what">What cannot be done, with the model's name.</param>
    /// <param name="error">Why.</param>
    public static ModelException Of(string what, Exception error) => error is ModelException problem and not RunTimeoutException
        ? problem
        : new ModelException($"{what}: {Reason(error)}.", error);

    /// <summary>Why, without the places in the runtime's own source and on this machine that it puts before.</summary>
    public static string Reason(Exception error) => error switch
    {
        OnnxRuntimeException => Place().Replace(error.Message.Split('\n')[0], "").Trim().TrimEnd('.'),
        RunTimeoutException => error.Message.TrimEnd('.'),
        OutOfMemoryException => "it needs more memory than is available",
        IOException or UnauthorizedAccessException or InvalidDataException => error.Message.TrimEnd('.'),
        _ => $"{error.GetType().Name}: {error.Message.TrimEnd('.')}",
    };

    [GeneratedRegex(@"^\[ErrorCode:\w+\] (Load model from \S+ failed:)?|\S*[/\\]onnxruntime[/\\]core\S+:\d+ [^)]*\) |\S*[/\\]detection-model-\w+[/\\]")]
    private static partial Regex Place();
}
