using System.Security.Cryptography;
using System.Text;
using Detection.Inference.Manifest;

namespace Detection.Inference.Graphs;

/// <summary>The version of a model: a hash of the content of its files.</summary>
public static class ModelVersion
{
    /// <summary>Whether a model's files are unchanged since they were read.</summary>
    public static bool IsUnchanged(ModelSource model)
    {
        ArgumentNullException.ThrowIfNull(model);
        try
        {
            return Of(model.Path, model.Manifest) == model.Version;
        }
#pragma warning disable CA1031 // Files that cannot be read any more have changed.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    /// <summary>
    /// The hash includes the manifest as it is understood, not its text: with the labels of its label file and the values that were read from the
    /// graph. So a cached result is never read with the rules of another version of this program.
    /// </summary>
    internal static string Of(string onnx, ModelManifest manifest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[64 * 1024];
        foreach (string file in OnnxFile.PartsOf(onnx))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
            int read;
            while ((read = stream.Read(buffer)) > 0)
            {
                hash.AppendData(buffer, 0, read);
            }
        }

        hash.AppendData(Encoding.UTF8.GetBytes(manifest.ToJson()));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }
}
