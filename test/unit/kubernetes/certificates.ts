/** Certificates for servers and clients of these tests, made with openssl in a directory of their own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Pair {
  certificate: string
  key: string
  certificateFile: string
  keyFile: string
}

export interface Certificates {
  directory: string
  authority: Pair
  /** for 127.0.0.1, ::1 and localhost */
  server: Pair
  /** for elsewhere.example only */
  elsewhere: Pair
  /** for 127.0.0.1, ended in 2020 */
  expired: Pair
  /** of the user `jane` */
  client: Pair
  remove(): void
}

const local = 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost'

/** One authority and what it has signed. Takes some 200 ms. */
export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'airunway-certificates-'))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  writeFileSync(join(directory, 'ca.cnf'), authorityConfig)
  writeFileSync(join(directory, 'index.txt'), '')
  writeFileSync(join(directory, 'serial.txt'), '1000\n')
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test authority')
  const sign = (name: string, subject: string, extension: string, ...dates: string[]) => {
    openssl('req', ...ec, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject)
    writeFileSync(join(directory, `${name}.ext`), extension)
    const files = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', `${name}.ext`]
    openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', ...files, ...(dates.length ? dates : ['-days', '2']))
    return pair(directory, name)
  }
  return {
    directory,
    authority: pair(directory, 'ca'),
    server: sign('server', '/CN=server', local),
    elsewhere: sign('elsewhere', '/CN=elsewhere', 'subjectAltName=DNS:elsewhere.example'),
    expired: sign('expired', '/CN=expired', local, '-startdate', '20190101000000Z', '-enddate', '20200101000000Z'),
    client: sign('client', '/O=people/CN=jane', 'extendedKeyUsage=clientAuth'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

const authorityConfig = `[ca]
default_ca = own
[own]
database = index.txt
serial = serial.txt
new_certs_dir = .
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
organizationName = optional
`

function pair(directory: string, name: string): Pair {
  const [certificateFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)]
  return {
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    certificateFile,
    keyFile,
  }
}
