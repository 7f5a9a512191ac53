using Detection.Inference.Loading;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Graphs;

/// <summary>Opens a graph so that its files may be replaced while the session exists.</summary>
internal static class OnnxFile
{
    /// <summary>Opens a session.</summary>
    /// <remarks>
    /// The runtime maps weight files beside the graph into memory for the lifetime of the session, and overwriting a mapped file ends the process
    /// (SIGBUS). So a copy is mapped, which is unlinked after the session is opened. Windows does not allow a mapped file to be overwritten.
    /// </remarks>
    /// <param name="path">The ONNX file.</param>
    /// <param name="options">Settings of the session.</param>
    /// <exception cref="OnnxRuntimeException">The runtime cannot load it.</exception>
    /// <exception cref="ModelException">
    /// The graph or a file of its weights is not a file that may be read, or two of its outputs have the same name.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is not an ONNX file.</exception>
    /// <exception cref="OperationCanceledException">The load was cancelled.</exception>
    public static InferenceSession Open(string path, SessionOptions options)
    {
        var parts = PartsOf(path);
        if (parts.Count == 1 || OperatingSystem.IsWindows())
        {
            return OpenSession(path, options);
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var copy = Directory.CreateTempSubdirectory("detection-model-");
        try
        {
            foreach (string part in parts)
            {
                string target = Path.Combine(copy.FullName, Path.GetRelativePath(folder, part));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(part, target);
            }

            return OpenSession(Path.Combine(copy.FullName, Path.GetFileName(path)), options);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    /// <summary>The files that contain a graph's numbers, in order: the graph and the weight files that it names.</summary>
    /// <exception cref="ModelException">One of them is not a file, is too large, or is outside of the graph's folder.</exception>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    /// <exception cref="InvalidDataException">The graph is not an ONNX file.</exception>
    internal static IReadOnlyList<string> PartsOf(string onnx)
    {
        PlainFile.Require(onnx, PlainFile.MaxGraphBytes);
        string folder = Path.GetDirectoryName(Path.GetFullPath(onnx))!;
        return [onnx, .. OnnxReader.ExternalFiles(onnx).Select(location => WeightsAt(folder, location))];
    }

    /// <summary>Weights are read with the permissions of the serving process, so they must be in the model's folder.</summary>
    private static string WeightsAt(string folder, string location)
    {
        string path = Path.GetFullPath(Path.Combine(folder, location));
        if (location.Length == 0
            || Path.IsPathRooted(location)
            || !PlainFile.IsInside(folder, path))
        {
            throw new ModelException($"The graph has weights in \"{location}\", which leads outside of its folder; put that file beside the graph.");
        }

        PlainFile.Require(path, PlainFile.MaxWeightsBytes);
        return path;
    }

    private static InferenceSession OpenSession(string path, SessionOptions options)
    {
        using var opening = ModelLoad.Current?.Opening(options);
        var session = new InferenceSession(path, options);
        if (session.OutputNames.GroupBy(static name => name).FirstOrDefault(static same => same.Count() > 1) is not { } twice)
        {
            return session;
        }

        session.Dispose();
        throw new ModelException($"The graph has {twice.Count()} outputs with the name \"{twice.Key}\"; export it with a name for each.");
    }
}
